// The keyboard alone does everything. One table for the handler and for the help.
import { useEffect } from "preact/hooks";
import { t } from "../src/i18n";
import { Dialog } from "../src/parts/dialog";
import { meantForControl } from "../src/parts/keyboard";
import type { Actions } from "./actions";
import type { Desk } from "./desk";
import type { Shown } from "./dialogs";

interface Context { desk: Desk; actions: Actions; show: (what: Shown) => void }

// Returns whether there was something to do now.
type Act = (context: Context) => boolean;

const inHearing = (act: (context: Context) => void): Act => (context) => {
  const { desk, actions } = context;
  if (!desk.state?.hearing || actions.busy || desk.word === "lost" || desk.word === "finishing") return false;
  act(context);
  return true;
};

const kBindings: { key: string; what: string; act: Act }[] = [
  { key: "m", what: "keys.mark", act: inHearing(() => document.getElementById("mark-text")?.focus()) },
  { key: "p", what: "pause.title", act: inHearing(({ desk, show }) => desk.state?.hearing?.pause || show("pause")) },
  { key: "r", what: "resume.do", act: inHearing(({ desk, actions }) => desk.state?.hearing?.pause && void actions.run("resume", {})) },
  { key: "c", what: "wrong.title", act: inHearing(({ show }) => show("correct")) },
  { key: "e", what: "finish.title", act: inHearing(({ show }) => show("finish")) },
  {
    key: "o", what: "open.title", act: ({ desk, show }) => {
      if (!desk.state || desk.state.hearing || desk.word === "lost") return false;
      if (desk.state.page.docket) show("open");
      else document.getElementById("open-cases")?.focus();
      return true;
    },
  },
  {
    key: "?", what: "keys.title", act: ({ show }) => {
      show("keys");
      return true;
    },
  },
];

// F1 to F8 also while typing: they are no letters. The browser's own F-keys (reload, search) would end a page that records.
function markByKey(event: KeyboardEvent, { desk, actions }: Context): boolean {
  const number = /^F([1-8])$/.exec(event.key)?.[1] ?? (meantForControl(event) ? undefined : /^[1-8]$/.exec(event.key)?.[0]);
  if (!number || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return false;
  const phrase = desk.state?.page.phrases[Number(number) - 1];
  const now = desk.state?.hearing && !document.querySelector("dialog[open]") && desk.word !== "lost" && desk.word !== "finishing";
  if (phrase && now && !event.repeat) void actions.mark(phrase);
  return desk.state?.hearing !== undefined;
}

export function useStationKeys(context: Context): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      if (markByKey(event, context)) return event.preventDefault();
      if (meantForControl(event) || event.repeat) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (kBindings.find((b) => b.key === key)?.act(context)) event.preventDefault();
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
          <tr><td><kbd>F1</kbd>–<kbd>F8</kbd>, <kbd>1</kbd>–<kbd>8</kbd></td><td>{t("keys.phrases")}</td></tr>
          {kBindings.map((b) => <tr key={b.key}><td><kbd>{b.key.toUpperCase()}</kbd></td><td>{t(b.what)}</td></tr>)}
        </tbody>
      </table>
    </Dialog>
  );
}
