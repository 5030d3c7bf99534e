// What must be read: it stays until it was, or until it is no longer so.
import { t } from "../src/i18n";
import { Icon } from "../src/parts/icons";
import { explain } from "../src/parts/notice";
import { clock, parseUtc } from "../src/time";
import type { Actions } from "./actions";
import { zoneOf } from "./band";
import type { Desk } from "./desk";
import type { Shown } from "./dialogs";

export function Notices({ desk, actions, show }: { desk: Desk; actions: Actions; show: (what: Shown) => void }) {
  const state = desk.state;
  const missing = state?.hearing?.unexplained ?? [];
  const time = (utc: string) => clock(parseUtc(utc), zoneOf(state));
  return (
    <div class="notices">
      {desk.word === "lost" && (
        <div class="notice bad" role="alert"><Icon name="warn" /><div><strong>{t("lost.what")}</strong> {t("lost.todo")}</div></div>
      )}
      {state?.trouble && desk.word !== "lost" && (
        <div class="notice bad" role="alert">
          <Icon name="warn" />
          <div><strong>{t("trouble.what", { time: state.trouble_since ? time(state.trouble_since) : "" })}</strong> <span lang="en">{state.trouble}</span></div>
        </div>
      )}
      {state?.second?.problem && desk.word !== "lost" && (
        <div class="notice attention">
          <strong>{t("second.what")}</strong> <span lang="en">{state.second.problem}</span>
        </div>
      )}
      {missing.length > 0 && desk.word !== "lost" && (
        <div class="notice attention">
          <strong>{t("explain.wanted", { n: missing.length })}</strong>{" "}
          {t("explain.from-to", { from: time(missing[0]!.from), to: time(missing[0]!.to), reason: t(`reason.${missing[0]!.reason}`) })}
          <button class="small-button" onClick={() => show("explain")}>{t("explain.open")}</button>
        </div>
      )}
      {actions.failure && (
        <div class="notice bad" role="alert">
          <Icon name="warn" />
          <div><strong>{t(`failed.${actions.failure.verb}`)}</strong> {explain(actions.failure.error)}</div>
          <button class="plain" onClick={actions.forget}>{t("station.dismiss")}</button>
        </div>
      )}
    </div>
  );
}
