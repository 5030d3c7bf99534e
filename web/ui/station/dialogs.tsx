// What is asked before something is done: why it pauses, whether it is finished, what happened.
import { useEffect, useState } from "preact/hooks";
import { t } from "../src/i18n";
import { streamsText } from "../src/hearing/names";
import { Dialog } from "../src/parts/dialog";
import { clock, offset, parseUtc } from "../src/time";
import type { Actions } from "./actions";
import { zoneOf } from "./band";
import { CorrectDialog } from "./correct";
import { isDown, type Desk, type State } from "./desk";
import { KeyHelp } from "./keys";
import { OpenByHand } from "./ready";

export type Shown = "pause" | "finish" | "explain" | "open" | "correct" | "keys";
export interface Props { desk: Desk; state: State; actions: Actions; onClose: () => void }

const kReasons = ["recess", "closed-evidence", "mediation", "fault", "operator"];

function PauseDialog({ actions, onClose }: Props) {
  const [note, setNote] = useState("");
  const choose = async (reason: string) => {
    if (await actions.run("pause", note.trim() ? { reason, note: note.trim() } : { reason })) onClose();
  };
  const byKey = (event: KeyboardEvent) => {
    const reason = kReasons[Number(event.key) - 1];
    if (!reason || (event.target as Element).closest("textarea, input")) return;
    event.preventDefault();
    if (!event.repeat && !actions.busy) void choose(reason);
  };
  return (
    <Dialog title={t("pause.title")} onClose={onClose} wide>
      <div onKeyDown={byKey}>
        <ol class="choices">
          {kReasons.map((reason, i) => (
            <li key={reason}>
              <button disabled={actions.busy} autoFocus={i === 0} onClick={() => void choose(reason)}>
                <kbd>{String(i + 1)}</kbd>
                <span><b>{t(`pause.${reason}`)}</b><span class="quiet">{t(i < 3 ? "pause.lawful" : "pause.other")}</span></span>
              </button>
            </li>
          ))}
        </ol>
        <label for="pause-note">{t("pause.note")}</label>
        <input id="pause-note" class="whole" value={note} maxLength={1000} autoComplete="off" onInput={(e) => setNote(e.currentTarget.value)} />
      </div>
    </Dialog>
  );
}

function FinishDialog({ desk, state, actions, onClose }: Props) {
  const hearing = state.hearing;
  if (!hearing) return null;
  const down = state.streams.filter((stream) => isDown(state, stream)).map((stream) => stream.name);
  const finish = async () => {
    if (await actions.run("close", {})) onClose();
  };
  return (
    <Dialog title={t("finish.title")} onClose={onClose}>
      <p class="finish-what"><b>{hearing.cases.join(t("list.comma")) || hearing.title || t("station.no-case")}</b> <span class="num">{offset(desk.elapsed())}</span></p>
      <p>{t("finish.meaning")}</p>
      {(hearing.unexplained?.length ?? 0) > 0 && <p class="notice attention">{t("explain.wanted", { n: hearing.unexplained!.length })}</p>}
      {down.length > 0 && <p class="notice attention">{t("finish.down", { streams: streamsText(down, state.streams) })}</p>}
      <div class="buttons">
        <button class="main huge" autoFocus disabled={actions.busy} onClick={() => void finish()}>{t(actions.busy ? "finish.doing" : "finish.yes")}</button>
        <button class="huge" disabled={actions.busy} onClick={onClose}>{t("finish.no")}</button>
      </div>
    </Dialog>
  );
}

function ExplainDialog({ state, actions, onClose }: Props) {
  const gap = state.hearing?.unexplained?.[0];
  const [text, setText] = useState("");
  useEffect(() => {
    if (!gap) onClose();
  }, [gap === undefined]);
  if (!gap) return null;
  const zone = zoneOf(state);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (text.trim() && (await actions.run("explain", { gap: gap.gap, text: text.trim() }))) setText("");
  };
  return (
    <Dialog title={t("explain.title")} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <p><b class="num">{t("explain.from-to", { from: clock(parseUtc(gap.from), zone), to: clock(parseUtc(gap.to), zone), reason: t(`reason.${gap.reason}`) })}</b>
          <span class="block quiet">{streamsText(gap.streams, state.streams)}</span></p>
        <label for="explain-text">{t("explain.text")}</label>
        <textarea id="explain-text" class="whole" rows={4} autoFocus value={text} maxLength={3000} onInput={(e) => setText(e.currentTarget.value)} />
        <p class="quiet small">{t("explain.kept")}</p>
        <div class="buttons">
          <button class="main huge" disabled={actions.busy || !text.trim()}>{t("explain.do")}</button>
          <button type="button" class="huge" onClick={onClose}>{t("explain.later")}</button>
        </div>
      </form>
    </Dialog>
  );
}

function OpenDialog({ desk, state, actions, onClose }: Props) {
  return (
    <Dialog title={t("open.title")} onClose={onClose}>
      <OpenByHand actions={actions} off={actions.busy || desk.word === "lost" || state.trouble !== undefined} autofocus />
    </Dialog>
  );
}

export function Dialogs({ shown, ...props }: Props & { shown: Shown }) {
  if (shown === "pause") return <PauseDialog {...props} />;
  if (shown === "finish") return <FinishDialog {...props} />;
  if (shown === "explain") return <ExplainDialog {...props} />;
  if (shown === "open") return <OpenDialog {...props} />;
  if (shown === "correct") return <CorrectDialog {...props} />;
  return <KeyHelp onClose={props.onClose} />;
}
