// To people of another court: by whose leave they see a hearing, and how long.
import { nameOf, t } from "../i18n";
import { dateTime, parseUtc } from "../time";
import type { Row } from "../types";

export function SharedBy({ row }: { row: Row }) {
  if (!row.shared) return null;
  const court = nameOf(row.court_names, row.court);
  const until = row.shared.until;
  return <span class="state shared">{until ? t("share.by-until", { court, time: dateTime(parseUtc(until), row.zone) }) : t("share.by", { court })}</span>;
}
