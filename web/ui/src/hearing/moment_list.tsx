// The timeline as a table, for those who read it better that way: what was recorded, what is missing, what was checked.
import { t } from "../i18n";
import { undeclaredHoles } from "../player/plan";
import { useWatch } from "../parts/watch";
import { clock, duration } from "../time";
import { streamName } from "./names";
import type { Room } from "./room";

export function MomentList({ room }: { room: Room }) {
  return (
    <details class="moment-list">
      <summary>{t("list.summary")}</summary>
      <StreamTable room={room} />
    </details>
  );
}

function StreamTable({ room }: { room: Room }) {
  useWatch(room, () => String(room.ledger.version));
  const zone = room.hearing.zone;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("list.caption")}>
    <table>
      <caption class="hidden">{t("list.caption")}</caption>
      <thead><tr>
        <th scope="col">{t("list.stream")}</th><th scope="col">{t("list.from")}</th><th scope="col">{t("list.to")}</th>
        <th scope="col">{t("list.recorded")}</th><th scope="col">{t("list.checked")}</th><th scope="col">{t("list.failed")}</th>
        <th scope="col">{t("list.unexplained")}</th>
      </tr></thead>
      <tbody>
        {room.player.tracks.map((track) => {
          const placed = track.plan.placed;
          const length = (state?: string) => placed.filter((p) => !state || room.ledger.state(p.segment.index) === state)
            .reduce((sum, p) => sum + p.to - p.from, 0);
          const holes = undeclaredHoles(track.plan, room.timeline).reduce((sum, h) => sum + h.to - h.from, 0);
          return (
            <tr key={track.plan.stream.name}>
              <th scope="row">{streamName(track.plan.stream.name, room.hearing.streams)}</th>
              <td class="num">{placed[0] ? clock(placed[0].from, zone) : "–"}</td>
              <td class="num">{placed.length > 0 ? clock(placed[placed.length - 1]!.to, zone) : "–"}</td>
              <td class="num">{duration(length())}</td>
              <td class="num">{duration(length("good"))}</td>
              <td class="num">{length("bad") > 0 ? duration(length("bad")) : "–"}</td>
              <td class="num">{holes > 0 ? duration(holes) : "–"}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
    </div>
  );
}
