// One tile per stream: what it sees or hears now, whether that is being kept, and its mute button.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../src/i18n";
import { streamName } from "../src/hearing/names";
import { Icon } from "../src/parts/icons";
import { clock, duration, parseUtc } from "../src/time";
import type { Actions } from "./actions";
import { alarmWords, zoneOf } from "./band";
import { isDown, isMuted, type Desk, type State, type Stream } from "./desk";

const kPictureMs = 1000;

// Asked once a second; nothing old is left standing.
function usePicture(stream: Stream): string | undefined {
  const [url, setUrl] = useState<string | undefined>();
  useEffect(() => {
    let held: string | undefined;
    let over = false;
    const put = (next: string | undefined) => {
      if (held) URL.revokeObjectURL(held);
      held = next;
      setUrl(next);
    };
    const look = async () => {
      const path = `/station/streams/${encodeURIComponent(stream.name)}/picture.jpg`;
      const response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(5000) }).catch(() => undefined);
      const jpeg = response?.status === 200 ? await response.blob().catch(() => undefined) : undefined;
      if (!over) put(jpeg && URL.createObjectURL(jpeg));
    };
    void look();
    const timer = setInterval(() => void look(), kPictureMs);
    return () => {
      over = true;
      clearInterval(timer);
      if (held) URL.revokeObjectURL(held);
    };
  }, [stream.name]);
  return url;
}

function Picture({ stream, name }: { stream: Stream; name: string }) {
  const url = usePicture(stream);
  return (
    <div class="picture">
      {url ? <img src={url} alt={t("tile.picture", { name })} /> : (
        <span class="no-picture"><Icon name={stream.source === "screen" ? "screen" : "camera"} />{t("tile.no-picture")}</span>
      )}
    </div>
  );
}

// 0 to 1 over the 60 dB in which speech is.
function loudness(level: number): number {
  return level <= 0 ? 0 : Math.min(1, Math.max(0, 1 + (20 * Math.log10(level / 255)) / 60));
}

function Level({ stream, name }: { stream: Stream; name: string }) {
  const ref = useRef<HTMLDivElement>(null);
  const levels = stream.levels;
  useEffect(() => {
    ref.current?.style.setProperty("--rms", String(loudness(levels?.rms ?? 0)));
    ref.current?.style.setProperty("--peak", String(loudness(levels?.peak ?? 0)));
  });
  const decibels = levels && levels.peak > 0 ? Math.round(20 * Math.log10(levels.peak / 255)) : -60;
  return (
    <div class={`level ${levels ? "" : "unmeasured"}`} ref={ref} role="meter" aria-label={t("tile.level", { name })} aria-valuemin={-60} aria-valuemax={0}
      aria-valuenow={Math.max(-60, decibels)} aria-valuetext={levels ? t("tile.decibels", { db: String(decibels) }) : t("tile.no-level")}>
      <i class="rms" /><i class="peak" />
      {!levels && <span class="no-picture"><Icon name="microphone" />{t("tile.no-level")}</span>}
    </div>
  );
}

type Mood = "down" | "alarm" | "muted" | "good" | "idle";

function moodOf(state: State, stream: Stream, starting: boolean): Mood {
  if (isMuted(state.hearing, stream.name)) return "muted";
  if (isDown(state, stream) && !(starting && !stream.problem)) return "down";
  if (stream.alarms?.length) return "alarm";
  return state.hearing && stream.state === "recording" ? "good" : "idle";
}

function Words({ desk, state, stream, mood }: { desk: Desk; state: State; stream: Stream; mood: Mood }) {
  const since = (utc: string | undefined) => (utc ? clock(parseUtc(utc), zoneOf(state)) : "");
  const muted = state.hearing?.muted.find((m) => m.stream === stream.name);
  if (desk.word === "lost") return <p class="tile-words">{t("tile.unknown")}</p>;
  if (muted) return <p class="tile-words">{t("tile.muted", { time: since(muted.since) })}</p>;
  if (mood === "down") {
    return (
      <p class="tile-words bad-text">
        <Icon name="warn" /><b>{t(state.hearing ? "tile.not-recorded" : "tile.not-there")}</b>{" "}
        {stream.problem_since && t("station.since", { time: since(stream.problem_since) })}
        {stream.problem && <span class="detail" lang="en">{stream.problem}</span>}
      </p>
    );
  }
  return (
    <>
      {stream.alarms?.map((alarm) => (
        <p class="tile-words attention-text" key={alarm.kind}>
          <Icon name="warn" /><b>{alarmWords(alarm)}</b>{" "}
          {t("station.since", { time: since(alarm.since) })}
        </p>
      ))}
      {!stream.alarms?.length && <p class="tile-words">{quietWords(desk, state, stream)}</p>}
    </>
  );
}

function quietWords(desk: Desk, state: State, stream: Stream): string {
  if (state.hearing?.pause) return t("tile.paused");
  if (state.hearing && stream.state === "recording") {
    return stream.recorded_ms ? t("tile.recorded", { length: duration(Math.floor(stream.recorded_ms / 1000) * 1000) }) : t("tile.recording");
  }
  return desk.word === "starting" ? t("tile.starting") : t(`tile.state.${stream.state}`);
}

function Tile({ desk, state, stream, actions }: { desk: Desk; state: State; stream: Stream; actions: Actions }) {
  const name = streamName(stream.name, state.streams);
  const muted = isMuted(state.hearing, stream.name);
  const mood = desk.word === "lost" ? "idle" : moodOf(state, stream, desk.word === "starting");
  const mayMute = state.hearing && !state.hearing.pause && desk.word !== "finishing" && desk.word !== "lost";
  return (
    <li class={`tile ${stream.medium} ${mood}`} data-stream={stream.name}>
      {stream.medium === "video" ? <Picture stream={stream} name={name} /> : <Level stream={stream} name={name} />}
      <div class="tile-foot">
        <div class="tile-text">
          <h3>{name}</h3>
          <Words desk={desk} state={state} stream={stream} mood={mood} />
        </div>
        {state.hearing && (
          <button class="mute" aria-pressed={muted} disabled={!mayMute || actions.busy} aria-label={t(muted ? "tile.unmute-name" : "tile.mute-name", { name })}
            onClick={() => void actions.run(muted ? "unmute" : "mute", { stream: stream.name })}>{t(muted ? "tile.unmute" : "tile.mute")}</button>
        )}
      </div>
    </li>
  );
}

export function Tiles({ desk, state, actions }: { desk: Desk; state: State; actions: Actions }) {
  const of = (medium: string) => state.streams.filter((stream) => stream.medium === medium);
  return (
    <section class="streams" aria-label={t("station.streams")}>
      {["video", "audio"].map((medium) => of(medium).length > 0 && (
        <ul class={`tiles ${medium}`} key={medium}>
          {of(medium).map((stream) => <Tile key={stream.name} desk={desk} state={state} stream={stream} actions={actions} />)}
        </ul>
      ))}
    </section>
  );
}
