// The state in one word and colour, the two clocks, and the lamp: what is read from across the room.
import { useEffect, useState } from "preact/hooks";
import { has, nameOf, t } from "../src/i18n";
import { streamName } from "../src/hearing/names";
import { Icon } from "../src/parts/icons";
import { clock, duration, localZone, longDate, offset, parseUtc } from "../src/time";
import { isDown, isMuted, type Alarm, type Desk, type State } from "./desk";

export const zoneOf = (state: State | undefined): string => state?.place?.zone ?? localZone();

export const alarmWords = (alarm: Alarm): string => (has(`alarm.${alarm.kind}`) ? t(`alarm.${alarm.kind}`) : alarm.kind);

// Of streams that are wanted: what is muted may be silent.
function alarmsOf(state: State): string {
  const all = state.streams.filter((stream) => !isMuted(state.hearing, stream.name)).flatMap((stream) =>
    (stream.alarms ?? []).map((alarm) => t("station.alarm", { stream: streamName(stream.name, state.streams), alarm: alarmWords(alarm) })));
  return all.length > 1 ? t("station.alarms", { n: all.length }) : all[0] ?? "";
}

// What the word is about: a reason, the streams that fail, since when nothing answers.
function aboutWord(desk: Desk): string {
  const state = desk.state;
  if (!state) return "";
  if (desk.word === "lost") return t("station.since", { time: clock(desk.now(), zoneOf(state)) });
  if (desk.word === "paused") return t(`reason.${state.hearing?.pause?.reason ?? "unknown"}`);
  const down = state.streams.filter((stream) => isDown(state, stream));
  const names = down.map((stream) => streamName(stream.name, state.streams)).join(t("list.comma"));
  if (desk.word === "ready" && down.length > 0) return t("station.not-connected", { streams: names });
  if (desk.word === "ready" || desk.word === "recording") return alarmsOf(state);
  if (desk.word !== "fault") return "";
  if (state.trouble || down.length === 0) return t("station.trouble");
  if (down.length > 1 && down.length === state.streams.length) return t("stream.all");
  return names;
}

export function sentenceOf(desk: Desk): string {
  const about = aboutWord(desk);
  return t(`station.word.${desk.word}`) + (about ? t("station.about", { about }) : "");
}

function useTick(ms: number): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

function Clocks({ desk }: { desk: Desk }) {
  useTick(200);
  const zone = zoneOf(desk.state);
  const now = desk.now();
  const pause = desk.state?.hearing?.pause;
  return (
    <div class="clocks">
      {desk.state?.hearing && (
        <div class="clock elapsed"><span class="clock-name">{t("station.elapsed")}</span><span class="num">{offset(desk.elapsed())}</span></div>
      )}
      {pause && (
        <div class="clock pausing"><span class="clock-name">{t("station.paused-for")}</span>
          <span class="num">{duration(Math.max(0, now - parseUtc(pause.since)))}</span></div>
      )}
      <div class="clock wall"><span class="clock-name">{t("station.wall-clock")}</span>
        <time class="num" dateTime={new Date(now).toISOString().slice(0, 19)} title={zone}>{clock(now, zone)}</time></div>
    </div>
  );
}

interface LampShown { colour: "green" | "amber" | "red" | "off" | "unknown"; title?: string; why: string }

function lampOf(desk: Desk, state: State): LampShown {
  if (desk.word === "lost") return { colour: "unknown", why: t("lamp.unknown") };
  if (desk.word === "fault" && !state.trouble) return { colour: "red", title: t("lamp.partly"), why: t("lamp.fault", { streams: aboutWord(desk) }) };
  if (state.lamp) return { colour: state.lamp.colour, why: has(`lamp.why.${state.lamp.why}`) ? t(`lamp.why.${state.lamp.why}`) : state.lamp.why };
  if (desk.word === "fault") return { colour: "red", why: t("lamp.trouble") };
  if (!state.hearing) return { colour: "off", why: t("lamp.idle") };
  return { colour: "amber", why: t("lamp.amber") };
}

function Lamp({ desk, state }: { desk: Desk; state: State }) {
  const { colour, title, why } = lampOf(desk, state);
  return (
    <div class={`lamp lamp-${colour}`}>
      <span class="bulb" aria-hidden="true" />
      <span><b>{title ?? t(`lamp.colour.${colour}`)}</b><span class="lamp-why">{why}</span></span>
    </div>
  );
}

// Beside the case stands what to do when it is the wrong one.
function Subject({ desk, state, onWrong }: { desk: Desk; state: State; onWrong: () => void }) {
  const hearing = state.hearing;
  const room = [nameOf(state.place?.court, state.court), nameOf(state.place?.room, state.room)].join(" · ");
  return (
    <p class="subject">
      {hearing ? (
        <>
          <b>{hearing.cases.join(t("list.comma")) || t("station.no-case")}</b>{hearing.title && <span>{hearing.title}</span>}
          {!hearing.public && <span><Icon name="lock" /> {t("open.not-public")}</span>}
          {hearing.corrected > 0 && <span>{t("wrong.corrected", { n: hearing.corrected })}</span>}
        </>
      ) : <b>{longDate(desk.now(), zoneOf(state))}</b>}
      <span>{room}</span>
      {hearing && <button class="wrong-case" disabled={desk.word === "lost" || desk.word === "finishing"} onClick={onWrong}>{t("wrong.open")} <kbd>C</kbd></button>}
    </p>
  );
}

export function Band({ desk, onWrong }: { desk: Desk; onWrong: () => void }) {
  const state = desk.state;
  const about = aboutWord(desk);
  return (
    <header class="band">
      <h1><span class="word"><span class="sign" aria-hidden="true" />{t(`station.word.${desk.word}`)}</span>{" "}{about && <span class="about">{about}</span>}</h1>
      <Clocks desk={desk} />
      {state && <Subject desk={desk} state={state} onWrong={onWrong} />}
      {state && <Lamp desk={desk} state={state} />}
    </header>
  );
}
