// Play, pause, steps, marks, speed, loop; the wall clock of the courtroom in large figures.
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { CopyButton } from "../parts/copy";
import { Icon } from "../parts/icons";
import { useWatch } from "../parts/watch";
import { href } from "../router";
import { clock, date, offset, parseClock, parseUtc, toUtc, zoneName } from "../time";
import type { Room } from "./room";

const kRates = [0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3];
const kBackItem = "greffe.back-step";

export const backStepMs = (): number => Number(localStorage.getItem(kBackItem) ?? 0) * 1000;

export function toggle(room: Room): void {
  if (room.player.playing) room.player.pause(backStepMs());
  else room.player.play();
}

export function toMark(room: Room, direction: 1 | -1): void {
  const wall = room.player.wall;
  const times = room.timeline.marks.map((m) => parseUtc(m.at)).sort((a, b) => a - b);
  const found = direction > 0 ? times.find((at) => at > wall + 500) : times.reverse().find((at) => at < wall - 1500);
  if (found !== undefined) room.player.seek(found);
}

interface Props { room: Room; onMark: (() => void) | undefined; onHelp: () => void }

export function Transport({ room, onMark, onHelp }: Props) {
  const player = room.player;
  useWatch(player, () => `${player.playing} ${player.rate} ${player.loop?.from} ${player.loop?.to} ${player.waiting}`);
  const step = (seconds: number) => player.seek(player.wall + seconds * 1000);
  return (
    <section class="transport" aria-label={t("transport.label")}>
      <div class="keys-row">
        <Key icon="previous" label={t("transport.previous-mark")} onClick={() => toMark(room, -1)} />
        <Key text="−5" label={t("transport.back", { n: 5 })} onClick={() => step(-5)} />
        <Key text="−1" label={t("transport.back", { n: 1 })} onClick={() => step(-1)} />
        <button class="main play" data-playing={player.playing} aria-label={t(player.playing ? "transport.pause" : "transport.play")}
          title={t(player.playing ? "transport.pause" : "transport.play")} onClick={() => toggle(room)}>
          <Icon name={player.playing ? "pause" : "play"} />
        </button>
        <Key text="+1" label={t("transport.forward", { n: 1 })} onClick={() => step(1)} />
        <Key text="+5" label={t("transport.forward", { n: 5 })} onClick={() => step(5)} />
        <Key icon="next" label={t("transport.next-mark")} onClick={() => toMark(room, 1)} />
      </div>
      <WallClock room={room} />
      <div class="settings">
        <GoTo room={room} />
        <label><span>{t("transport.speed")}</span>
          <select value={String(player.rate)} onChange={(e) => player.setRate(Number(e.currentTarget.value))}>
            {[...new Set([...kRates, player.rate])].sort((a, b) => a - b).map((rate) => <option key={rate} value={String(rate)}>{rate}×</option>)}
          </select>
        </label>
        <LoopButtons room={room} />
        {onMark && <button onClick={onMark}><Icon name="flag" />{t("mark.add")}</button>}
        <CopyButton label={t("transport.copy-link")} text={() => location.origin + href({ hearing: room.hearing.id }, toUtc(player.wall))} />
        <button class="square" aria-label={t("keys.title")} title={t("keys.title")} onClick={onHelp}>?</button>
      </div>
    </section>
  );
}

function Key(props: { icon?: string; text?: string; label: string; onClick: () => void }) {
  return (
    <button class="key" aria-label={props.label} title={props.label} onClick={props.onClick}>
      {props.icon ? <Icon name={props.icon} /> : props.text}
    </button>
  );
}

function WallClock({ room }: { room: Room }) {
  const { player, hearing } = room;
  useWatch(player, () => `${Math.floor(player.wall / 1000)} ${player.waiting} ${player.end}`);
  const wall = player.wall;
  return (
    <div class="wall" data-wall={Math.round(wall)}>
      <span class="wall-time" title={zoneName(wall, hearing.zone)}>{clock(wall, hearing.zone)}</span>
      <span class="wall-more">
        <span>{date(wall, hearing.zone)}</span>
        <span class="quiet">{t("transport.offset", { offset: offset(wall - player.start), total: offset(player.end - player.start) })}
          {player.waiting && <> · {t("transport.waiting")}</>}
          {room.timeline.live && <> · {t("transport.behind", { offset: offset(player.end - wall) })}</>}
        </span>
      </span>
    </div>
  );
}

function GoTo({ room }: { room: Room }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const at = parseClock(text, room.player.wall, room.hearing.zone);
    const inside = at !== undefined && at >= room.player.start - 60_000 && at <= room.player.end + 60_000;
    setWrong(!inside);
    if (!inside) return;
    room.player.seek(at);
    setText("");
  };
  return (
    <form class="go-to" onSubmit={submit}>
      <label><span>{t("transport.go-to")}</span>
        <input value={text} size={8} maxLength={12} placeholder={clock(room.player.start, room.hearing.zone)} aria-invalid={wrong}
          aria-describedby={wrong ? "go-to-wrong" : undefined} onInput={(e) => { setText(e.currentTarget.value); setWrong(false); }} />
      </label>
      {wrong && (
        <span id="go-to-wrong" class="wrong" role="alert">{t("transport.go-to-wrong", {
          from: clock(room.player.start, room.hearing.zone), to: clock(room.player.end, room.hearing.zone),
        })}</span>
      )}
    </form>
  );
}

export function BackStep() {
  const [seconds, setSeconds] = useState(String(backStepMs() / 1000));
  return (
    <label title={t("transport.back-step-note")}><span>{t("transport.back-step")}</span>
      <select value={seconds} onChange={(e) => { setSeconds(e.currentTarget.value); localStorage.setItem(kBackItem, e.currentTarget.value); }}>
        {["0", "1", "2", "3", "5"].map((s) => <option key={s} value={s}>{t("unit.s", { v: s })}</option>)}
      </select>
    </label>
  );
}

export function setLoop(room: Room, edge: "from" | "to" | "off"): void {
  const player = room.player;
  const wall = player.wall;
  if (edge === "off") player.loop = undefined;
  else if (edge === "from") player.loop = { from: wall };
  else if (player.loop && wall > player.loop.from + 300) player.loop = { from: player.loop.from, to: wall };
  player.seek(wall);
}

function LoopButtons({ room }: { room: Room }) {
  const loop = room.player.loop;
  const zone = room.hearing.zone;
  return (
    <span class="loop" role="group" aria-label={t("transport.loop")}>
      <button class="key" aria-pressed={loop !== undefined} title={t("transport.loop-from")} aria-label={t("transport.loop-from")}
        onClick={() => setLoop(room, "from")}>A</button>
      <button class="key" aria-pressed={loop?.to !== undefined} disabled={!loop} title={t("transport.loop-to")} aria-label={t("transport.loop-to")}
        onClick={() => setLoop(room, "to")}>B</button>
      {loop && (
        <button class="plain num" onClick={() => setLoop(room, "off")} aria-label={t("transport.loop-off")}>
          {clock(loop.from, zone)}{loop.to ? `–${clock(loop.to, zone)}` : "–…"} <Icon name="cross" />
        </button>
      )}
    </span>
  );
}

export function citation(room: Room): string {
  const { hearing, player } = room;
  return t("transport.citation", {
    cases: hearing.cases.join(t("list.comma")), date: date(player.wall, hearing.zone), time: clock(player.wall, hearing.zone),
  });
}
