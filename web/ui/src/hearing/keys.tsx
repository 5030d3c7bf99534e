// The keyboard: one table for the handler and for the help.
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { Dialog } from "../parts/dialog";
import { meantForControl } from "../parts/keyboard";
import type { Room } from "./room";
import { BackStep, setLoop, toggle, toMark } from "./transport";

export interface KeyContext { room: Room; choose: (camera: number) => void; startMark: () => void; showHelp: () => void }

interface Binding { keys: string[]; shown: string[]; what: string; act: (context: KeyContext, key: string) => void }

const seek = (ms: number) => ({ room }: KeyContext) => room.player.seek(room.player.wall + ms);

const kBindings: Binding[] = [
  { keys: [" ", "k"], shown: ["keys.space", "K"], what: "keys.play", act: ({ room }) => toggle(room) },
  { keys: ["j"], shown: ["J"], what: "keys.back-5", act: seek(-5000) },
  { keys: ["l"], shown: ["L"], what: "keys.forward-5", act: seek(5000) },
  { keys: ["ArrowLeft"], shown: ["←"], what: "keys.back-1", act: seek(-1000) },
  { keys: ["ArrowRight"], shown: ["→"], what: "keys.forward-1", act: seek(1000) },
  { keys: ["p"], shown: ["P"], what: "transport.previous-mark", act: ({ room }) => toMark(room, -1) },
  { keys: ["n"], shown: ["N"], what: "transport.next-mark", act: ({ room }) => toMark(room, 1) },
  { keys: ["Home"], shown: ["keys.home"], what: "keys.to-start", act: ({ room }) => room.player.seek(room.player.start) },
  { keys: ["End"], shown: ["keys.end"], what: "keys.to-end", act: ({ room }) => room.player.seek(room.player.end) },
  { keys: ["<", ","], shown: [","], what: "keys.slower", act: ({ room }) => room.player.setRate(room.player.rate - 0.1) },
  { keys: [">", "."], shown: ["."], what: "keys.faster", act: ({ room }) => room.player.setRate(room.player.rate + 0.1) },
  { keys: ["0"], shown: ["0"], what: "keys.normal", act: ({ room }) => room.player.setRate(1) },
  { keys: ["["], shown: ["["], what: "transport.loop-from", act: ({ room }) => setLoop(room, "from") },
  { keys: ["]"], shown: ["]"], what: "transport.loop-to", act: ({ room }) => setLoop(room, "to") },
  { keys: ["m"], shown: ["M"], what: "mark.add", act: ({ startMark }) => startMark() },
  { keys: [..."123456789"], shown: ["1–9"], what: "keys.camera", act: ({ choose }, key) => choose(Number(key) - 1) },
  { keys: ["?"], shown: ["?"], what: "keys.title", act: ({ showHelp }) => showHelp() },
];

export function useKeys(context: KeyContext): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || meantForControl(event)) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const binding = kBindings.find((b) => b.keys.includes(key));
      if (!binding) return;
      event.preventDefault();
      binding.act(context, key);
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  });
}

export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t("keys.title")} onClose={onClose}>
      <table class="key-help">
        <tbody>
          {kBindings.map((b) => (
            <tr key={b.what}>
              <td>{b.shown.map((s) => <kbd key={s}>{s.startsWith("keys.") ? t(s) : s}</kbd>)}</td>
              <td>{t(b.what)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>{t("keys.settings")}</h3>
      <BackStep />
    </Dialog>
  );
}
