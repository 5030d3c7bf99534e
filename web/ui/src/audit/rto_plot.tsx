// How long it took to be ready, drill by drill: a small curve. The table under it has every number.
import { t } from "../i18n";
import { dateTime, date, duration, localZone, parseUtc } from "../time";
import type { Drill } from "../types";

const kWidth = 600;
const kHeight = 96;
const kEdge = 8;

interface Point { x: number; y: number; drill: Drill; ms: number }

// Of drills newest first, those that measured it, oldest first; from 0 upwards.
export function points(drills: readonly Drill[]): Point[] {
  const measured = drills.filter((drill) => drill.report?.rto_ms !== undefined).reverse();
  const times = measured.map((drill) => parseUtc(drill.utc));
  const most = Math.max(1, ...measured.map((drill) => drill.report!.rto_ms!));
  const first = times[0] ?? 0;
  const span = Math.max(1, (times[times.length - 1] ?? 0) - first);
  return measured.map((drill, i) => {
    const ms = drill.report!.rto_ms!;
    return { x: kEdge + ((kWidth - 2 * kEdge) * (times[i]! - first)) / span, y: kHeight - kEdge - ((kHeight - 2 * kEdge) * ms) / most, drill, ms };
  });
}

export function RtoPlot({ archive, drills }: { archive: string; drills: Drill[] }) {
  const all = points(drills);
  if (all.length < 2) return null;
  const said = t("drill.plot", {
    archive, newest: duration(all[all.length - 1]!.ms), most: duration(Math.max(...all.map((p) => p.ms))),
    since: date(parseUtc(all[0]!.drill.utc), localZone()),
  });
  return (
    <figure class="rto">
      <svg viewBox={`0 0 ${kWidth} ${kHeight}`} role="img" aria-label={said}>
        <path class="axis" d={`M${kEdge} ${kHeight - kEdge}H${kWidth - kEdge}`} />
        <path class="curve" d={all.map((p, i) => `${i === 0 ? "M" : "L"}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join("")} />
        {all.map((p) => (
          <circle key={p.drill.index} class={p.drill.failures === 0 ? "" : "bad"} cx={p.x.toFixed(1)} cy={p.y.toFixed(1)} r="4">
            <title>{`${dateTime(parseUtc(p.drill.utc), localZone())}${t("colon")}${duration(p.ms)}`}</title>
          </circle>
        ))}
      </svg>
      <figcaption>{said}</figcaption>
    </figure>
  );
}
