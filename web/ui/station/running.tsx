// While a hearing is open: marks under the fingers, pause, finish.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../src/i18n";
import { Icon } from "../src/parts/icons";
import { clock, parseUtc } from "../src/time";
import type { Actions, Marked } from "./actions";
import { zoneOf } from "./band";
import type { Desk, State } from "./desk";
import type { Shown } from "./dialogs";

interface Props { desk: Desk; state: State; actions: Actions; show: (what: Shown) => void }

function Phrases({ state, actions, off }: { state: State; actions: Actions; off: boolean }) {
  const phrases = state.page.phrases;
  if (phrases.length === 0) return null;
  return (
    <ul class="phrases">
      {phrases.map((phrase, i) => (
        <li key={phrase}><button disabled={off} onClick={() => void actions.mark(phrase)}><kbd>{`F${i + 1}`}</kbd><span>{phrase}</span></button></li>
      ))}
    </ul>
  );
}

function FreeMark({ actions, off }: { actions: Actions; off: boolean }) {
  const [text, setText] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    if (text.trim() && (await actions.mark(text.trim()))) setText("");
  };
  return (
    <form class="free-mark" onSubmit={(event) => void submit(event)}>
      <label class="hidden" for="mark-text">{t("mark.other")}</label>
      <input id="mark-text" value={text} maxLength={1000} autoComplete="off" placeholder={t("mark.other")} disabled={off && !text}
        onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => e.key === "Escape" && e.currentTarget.blur()} />
      <button disabled={off || !text.trim()}><Icon name="flag" />{t("mark.do")}</button>
    </form>
  );
}

function MarkedLines({ desk, marked }: { desk: Desk; marked: Marked[] }) {
  const zone = zoneOf(desk.state);
  return (
    <ol class="marked" aria-label={t("mark.made")} aria-live="polite" tabIndex={marked.length > 3 ? 0 : undefined}>
      {marked.map((mark) => (
        <li key={mark.at + mark.text}><Icon name="check" class="good-text" /><time dateTime={mark.at}>{clock(parseUtc(mark.at), zone)}</time><span>{mark.text}</span></li>
      ))}
    </ol>
  );
}

export function Running({ desk, state, actions, show }: Props) {
  const resume = useRef<HTMLButtonElement>(null);
  const paused = state.hearing?.pause !== undefined;
  const off = actions.busy || desk.word === "lost" || desk.word === "finishing" || state.trouble !== undefined;
  useEffect(() => {
    if (paused && (document.activeElement === document.body || document.activeElement === null)) resume.current?.focus();
  }, [paused]);
  return (
    <section class="actions" aria-label={t("station.actions")}>
      <div class="big">
        {paused ? (
          <button class="main resume" ref={resume} disabled={off} onClick={() => void actions.run("resume", {})}>
            <Icon name="dot" /><span>{t("resume.do")}</span><kbd>R</kbd>
          </button>
        ) : (
          <button class="pause" disabled={off} onClick={() => show("pause")}><Icon name="pause" /><span>{t("pause.do")}</span><kbd>P</kbd></button>
        )}
        <button class="finish" disabled={off} onClick={() => show("finish")}><Icon name="check" /><span>{t("finish.do")}</span><kbd>E</kbd></button>
      </div>
      <h2>{t("mark.title")} <kbd>M</kbd></h2>
      <Phrases state={state} actions={actions} off={off} />
      <FreeMark actions={actions} off={off} />
      <MarkedLines desk={desk} marked={actions.marked} />
    </section>
  );
}
