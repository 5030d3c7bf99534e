// An address with a ticket that any player opens (VLC, ffplay): for codecs that a browser cannot show, and for rooms
// without one.
import { useState } from "preact/hooks";
import { api } from "../api";
import { t } from "../i18n";
import { CopyButton } from "../parts/copy";
import { Notice } from "../parts/notice";
import { dateTime, parseUtc } from "../time";
import type { Room } from "./room";

export function PlayElsewhere({ room }: { room: Room }) {
  const [ticket, setTicket] = useState<{ url: string; expires: string } | undefined>();
  const [error, setError] = useState<unknown>();
  const ask = () => api.playTicket(room.hearing.id).then(
    (answer) => setTicket({ url: new URL(answer.master, location.origin).href, expires: answer.expires }), setError);
  if (error) return <Notice error={error} />;
  if (!ticket) return <button onClick={() => void ask()}>{t("elsewhere.ask")}</button>;
  return (
    <span class="elsewhere">
      <input readOnly value={ticket.url} aria-label={t("elsewhere.address")} onFocus={(e) => e.currentTarget.select()} />
      <CopyButton text={ticket.url} label={t("elsewhere.copy")} />
      <small>{t("elsewhere.expires", { time: dateTime(parseUtc(ticket.expires), room.hearing.zone) })}</small>
    </span>
  );
}
