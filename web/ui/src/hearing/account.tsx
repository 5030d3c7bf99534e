// The account of the hearing's time in one line: what was recorded, what was interrupted and why, what nobody has explained.
import { t } from "../i18n";
import { Icon } from "../parts/icons";
import { duration } from "../time";
import type { Gap, TimeSums } from "../types";
import type { Room } from "./room";

const kShownFromMs = 1000; // streams begin and end within a fragment of each other

export function AccountLine({ room }: { room: Room }) {
  const account = room.timeline.account;
  const parts = partsOf(account, room.timeline.gaps);
  const unexplained = account.unexplained_ms >= kShownFromMs;
  return (
    <p class="account">
      {parts.join(t("list.comma"))}
      {unexplained && <>{parts.length > 0 && t("list.comma")}<strong class="attention"><Icon name="warn" />{t("account.unexplained", { length: duration(account.unexplained_ms) })}</strong></>}
    </p>
  );
}

function partsOf(sums: TimeSums, gaps: readonly Gap[]): string[] {
  const parts = [t("account.recorded", { length: duration(sums.recorded_ms) })];
  const explained = sums.unexcused_ms - sums.unexplained_ms;
  const reasons = new Set(gaps.filter((gap) => gap.excused).map((gap) => gap.reason));
  if (sums.excused_ms >= kShownFromMs) {
    const length = duration(sums.excused_ms);
    parts.push(reasons.size === 1 ? t("account.excused", { length, reason: t(`reason.${[...reasons][0]!}`) }) : t("account.lawful", { length }));
  }
  if (explained >= kShownFromMs) parts.push(t("account.explained", { length: duration(explained) }));
  return parts;
}
