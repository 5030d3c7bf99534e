// The timeline: one lane per stream on one wall clock. Every drag and wheel has a key, a button and a number as twin.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../parts/icons";
import { useWatch } from "../parts/watch";
import { clock, duration, parseUtc } from "../time";
import { AccountLine } from "./account";
import { LaneSound } from "./lane_sound";
import { streamName, streamsText } from "./names";
import type { Room } from "./room";
import { Adjoining } from "./sittings";
import { draw, heightOf, kAxis, kMarks, lanesOf, type View } from "./timeline_draw";
import { MomentList } from "./moment_list";

const kClosest = 10_000;

export function TimelineView({ room }: { room: Room }) {
  const player = room.player;
  const whole = (): View => ({ from: player.start, to: Math.max(player.end, player.start + 1000) });
  const [view, setView] = useState<View>(whole);
  const [hover, setHover] = useState<{ x: number; text: string } | undefined>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const isWhole = view.from <= player.start && view.to >= player.end - 6000;

  const show = (from: number, length: number) => {
    const all = whole();
    const span = Math.min(Math.max(length, kClosest), all.to - all.from);
    const start = Math.min(Math.max(from, all.from), all.to - span);
    setView({ from: start, to: start + span });
  };
  const zoom = (factor: number, around = player.wall) => {
    const span = (view.to - view.from) * factor;
    const share = Math.min(1, Math.max(0, (around - view.from) / (view.to - view.from)));
    show(around - share * span, span);
  };
  const timeAt = (clientX: number): number => {
    const box = plot.current!.getBoundingClientRect();
    return view.from + ((clientX - box.left) / box.width) * (view.to - view.from);
  };
  useCanvas(canvas, room, view);
  useFollow(room, view, show, isWhole ? () => setView(whole()) : undefined);
  const drag = useDrag({ view, show, timeAt, seek: (ms) => player.seek(ms), width: () => plot.current!.clientWidth });

  const keys = (event: KeyboardEvent) => {
    const big = event.shiftKey ? 10 : 1;
    const acts: Record<string, () => void> = {
      ArrowLeft: () => player.seek(player.wall - 1000 * big), ArrowRight: () => player.seek(player.wall + 1000 * big),
      PageDown: () => player.seek(player.wall + (view.to - view.from) / 10), PageUp: () => player.seek(player.wall - (view.to - view.from) / 10),
      "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  useWheel(plot, (event) => {
    if (event.ctrlKey || Math.abs(event.deltaY) > Math.abs(event.deltaX)) zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event.clientX));
    else show(view.from + (event.deltaX / plot.current!.clientWidth) * (view.to - view.from), view.to - view.from);
  });
  const tracks = player.tracks;
  return (
    <section class="timeline" aria-label={t("timeline.label")}>
      <div class="timeline-tools">
        <Legend room={room} />
        <span class="zoom" role="group" aria-label={t("timeline.zoom")}>
          <button class="key" aria-label={t("timeline.earlier")} title={t("timeline.earlier")} disabled={isWhole} onClick={() => show(view.from - (view.to - view.from) / 2, view.to - view.from)}>‹</button>
          <button class="key" aria-label={t("timeline.out")} title={t("timeline.out")} disabled={isWhole} onClick={() => zoom(2)}>−</button>
          <button class="key" aria-label={t("timeline.in")} title={t("timeline.in")} onClick={() => zoom(0.5)}>+</button>
          <button class="key" aria-label={t("timeline.later")} title={t("timeline.later")} disabled={isWhole} onClick={() => show(view.from + (view.to - view.from) / 2, view.to - view.from)}>›</button>
          <button disabled={isWhole} onClick={() => setView(whole())}>{t("timeline.whole")}</button>
        </span>
      </div>
      <div class="lanes">
        <div class="lane-names">
          <div class="lane-space" />
          {lanesOf(tracks).map(({ track }) => <LaneSound key={track.plan.stream.name} room={room} track={track} />)}
        </div>
        <div ref={plot} class="plot" role="slider" tabIndex={0} aria-label={t("timeline.slider")}
          aria-valuemin={0} aria-valuemax={Math.round((player.end - player.start) / 1000)} {...sliderValue(room)}
          onKeyDown={keys} onPointerDown={drag.down} onPointerUp={drag.up} onPointerCancel={drag.cancel}
          onPointerMove={(e) => { drag.move(e); setHover(hoverAt(room, timeAt(e.clientX), view.to - view.from, e, plot.current!)); }} onPointerLeave={() => setHover(undefined)}>
          <canvas ref={canvas} data-height={heightOf(tracks)} />
          <Playhead room={room} view={view} />
          {hover && <Tip x={hover.x} text={hover.text} />}
        </div>
      </div>
      <Adjoining hearing={room.hearing} />
      <AccountLine room={room} />
      <MomentList room={room} />
    </section>
  );
}

function sliderValue(room: Room) {
  useWatch(room.player, () => String(Math.floor(room.player.wall / 1000)));
  const wall = room.player.wall;
  return { "aria-valuenow": Math.round((wall - room.player.start) / 1000), "aria-valuetext": clock(wall, room.hearing.zone) };
}

function useCanvas(ref: { current: HTMLCanvasElement | null }, room: Room, view: View): void {
  useEffect(() => {
    const canvas = ref.current!;
    canvas.style.setProperty("height", `${heightOf(room.player.tracks)}px`);
    let queued = 0;
    let last = "";
    const paint = () => {
      queued = 0;
      draw(canvas, room, view);
    };
    const queue = () => {
      if (!queued) queued = requestAnimationFrame(paint);
    };
    const changed = () => {
      const now = `${room.ledger.version} ${room.peaks.version} ${room.timeline.marks.length} ${room.timeline.log_size}`;
      if (now !== last) queue();
      last = now;
    };
    queue();
    const stop = room.onChange(changed);
    const size = new ResizeObserver(queue);
    size.observe(canvas);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", queue);
    return () => {
      cancelAnimationFrame(queued);
      stop();
      size.disconnect();
      dark.removeEventListener("change", queue);
    };
  }, [room, view]);
}

// Keeps the playing moment in view, and the whole in view while it grows.
function useFollow(room: Room, view: View, show: (from: number, length: number) => void, grow: (() => void) | undefined): void {
  useEffect(() => {
    let wall = room.player.wall;
    return room.player.onChange(() => {
      const moved = room.player.wall !== wall;
      wall = room.player.wall;
      if (grow && room.player.end > view.to) grow();
      else if (moved && (wall > view.to || wall < view.from)) show(wall - (view.to - view.from) * 0.1, view.to - view.from);
    });
  }, [room, view]);
}

interface Drag { view: View; show: (from: number, length: number) => void; timeAt: (x: number) => number; seek: (ms: number) => void; width: () => number }

// A press that does not move is a seek, one that moves drags the view.
function useDrag({ view, show, timeAt, seek, width }: Drag) {
  const held = useRef<{ x: number; from: number; moved: boolean } | undefined>();
  return {
    down: (e: PointerEvent) => {
      if (e.button !== 0) return;
      (e.currentTarget as Element).setPointerCapture(e.pointerId);
      held.current = { x: e.clientX, from: view.from, moved: false };
    },
    move: (e: PointerEvent) => {
      const start = held.current;
      if (!start || (!start.moved && Math.abs(e.clientX - start.x) < 5)) return;
      start.moved = true;
      const span = view.to - view.from;
      show(start.from - ((e.clientX - start.x) / width()) * span, span);
    },
    up: (e: PointerEvent) => {
      if (held.current && !held.current.moved) seek(timeAt(e.clientX));
      held.current = undefined;
    },
    cancel: () => {
      held.current = undefined;
    },
  };
}

// Wheel listeners must be able to prevent scrolling, so they are not passive ones.
function useWheel(ref: { current: HTMLElement | null }, act: (event: WheelEvent) => void): void {
  useEffect(() => {
    const element = ref.current!;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      act(event);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  });
}

function Playhead({ room, view }: { room: Room; view: View }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let frame = 0;
    const place = () => {
      const share = (room.player.wall - view.from) / (view.to - view.from);
      const line = ref.current!;
      line.hidden = share < 0 || share > 1;
      line.style.setProperty("left", `${(share * 100).toFixed(3)}%`);
      frame = requestAnimationFrame(place);
    };
    place();
    return () => cancelAnimationFrame(frame);
  }, [room, view]);
  return <div ref={ref} class="playhead" />;
}

function Tip({ x, text }: { x: number; text: string }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => ref.current?.style.setProperty("left", `${x}px`));
  return <div ref={ref} class="tip">{text}</div>;
}

function hoverAt(room: Room, ms: number, span: number, event: PointerEvent, plot: HTMLElement): { x: number; text: string } | undefined {
  if (event.pointerType === "touch") return undefined;
  const box = plot.getBoundingClientRect();
  const x = event.clientX - box.left;
  const y = event.clientY - box.top;
  const zone = room.hearing.zone;
  const slack = (12 / box.width) * span;
  const marks = room.timeline.marks.filter((m) => Math.abs(parseUtc(m.at) + slack / 3 - ms) < slack);
  if (y > kAxis && y < kAxis + kMarks && marks[0]) return { x, text: `${clock(parseUtc(marks[0].at), zone)} ${marks[0].text}` };
  const lane = lanesOf(room.player.tracks).find((l) => y >= l.top && y < l.top + l.height);
  const gap = room.timeline.gaps.find((g) => ms >= parseUtc(g.from) && ms < parseUtc(g.to) &&
    (!lane || g.streams.includes("*") || g.streams.includes(lane.track.plan.stream.name)));
  if (gap) {
    const length = duration(parseUtc(gap.to) - parseUtc(gap.from));
    return { x, text: `${clock(ms, zone)} ${t("gap.line", { length, reason: t(`reason.${gap.reason}`) })} (${streamsText(gap.streams, room.hearing.streams)})` };
  }
  const name = lane ? ` ${streamName(lane.track.plan.stream.name, room.hearing.streams)}` : "";
  return { x, text: clock(ms, zone) + name };
}

function Legend({ room }: { room: Room }) {
  useWatch(room, () => String(room.ledger.version));
  const bad = room.ledger.count("bad");
  const lost = room.ledger.count("lost");
  return (
    <span class="legend">
      <span><i class="swatch good" />{t("legend.good")}</span>
      <span><i class="swatch unchecked" />{t("legend.unchecked")}</span>
      <span class={bad > 0 ? "bad-text" : ""}><i class="swatch bad" />{t("legend.bad")}{bad > 0 && <> <Icon name="cross" />{bad}</>}</span>
      {lost > 0 && <span class="attention-text"><i class="swatch lost" />{t("legend.lost")} {lost}</span>}
      <span><i class="swatch gap" />{t("legend.gap")}</span>
    </span>
  );
}
