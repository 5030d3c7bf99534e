// The line at the foot: how long the disk lasts, what still waits to be delivered, how good the clock is, who records.
import { bytes, has, t, type Language } from "../src/i18n";
import { LanguageChoice } from "../src/parts/language_choice";
import { duration } from "../src/time";
import { isPerson, type Actions } from "./actions";
import type { Desk, State } from "./desk";
import type { Shown } from "./dialogs";

const kFewHours = 48;

interface Props { desk: Desk; state: State; actions: Actions; show: (what: Shown) => void; onLanguage: (code: Language, remember: boolean) => void }

function Fact({ name, value, attention = false }: { name: string; value: string; attention?: boolean }) {
  return <div class={attention ? "attention-text" : ""}><dt>{name}</dt><dd class="num">{value}</dd></div>;
}

export function Facts({ desk, state, actions, show, onLanguage }: Props) {
  const hours = state.spool?.hours_left;
  const upload = state.upload;
  const error = state.clock.error_ms < 1000 ? t("unit.ms", { v: String(state.clock.error_ms) }) : duration(state.clock.error_ms);
  const quality = has(`clock.${state.clock.state}`) ? t(`clock.${state.clock.state}`) : state.clock.state;
  return (
    <footer class="facts">
      <dl>
        {hours !== undefined && <Fact name={t("facts.room-left")} value={t("facts.hours", { n: Math.floor(hours) })} attention={hours < kFewHours} />}
        {upload && <Fact name={t("facts.waiting")} value={upload.waiting_bytes ? bytes(upload.waiting_bytes) : t("facts.delivered")} attention={Boolean(upload.problem)} />}
        <Fact name={t("facts.clock")} value={t("facts.clock-value", { quality, error })} attention={state.clock.state === "free"} />
      </dl>
      <label class="who-records">{t("facts.person")}
        <input value={actions.person} size={8} maxLength={32} autoComplete="off" autoCapitalize="none" spellcheck={false} aria-invalid={!isPerson(actions.person)}
          title={t("facts.person-why")} onInput={(e) => actions.setPerson(e.currentTarget.value.trim())} />
      </label>
      <button class="plain" onClick={() => show("keys")}><span class="key-word">{t("keys.title")}</span> <kbd>?</kbd></button>
      <LanguageChoice onChange={onLanguage} />
      {state.page.password && <button class="plain" onClick={() => void desk.signOut()}>{t("nav.sign-out")}</button>}
    </footer>
  );
}
