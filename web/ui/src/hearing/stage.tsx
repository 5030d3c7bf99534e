// The pictures: one large and the others small, or all in a grid. Tiles never move in the document, so nothing stops.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../parts/icons";
import { useWatch } from "../parts/watch";
import type { Track } from "../player/track";
import { clock, dateTime, duration, parseUtc } from "../time";
import type { Lost } from "../verify/declared_lost";
import { shortStreamName, streamName } from "./names";
import { PlayElsewhere } from "./play_elsewhere";
import type { Room } from "./room";

interface Props { room: Room; chosen: number; choose: (camera: number) => void }

export function Stage({ room, chosen, choose }: Props) {
  const [grid, setGrid] = useState(false);
  const cameras = room.player.tracks.filter((track) => track.hasPicture);
  const microphones = room.player.tracks.filter((track) => !track.hasPicture);
  const large = Math.min(chosen, cameras.length - 1);
  return (
    <section class="stage" aria-label={t("stage.label")} data-layout={grid ? "grid" : "one"} data-cameras={Math.min(cameras.length, 6)}>
      {cameras.length === 0 && <SoundOnly room={room} />}
      {cameras.map((track, i) => (
        <Tile key={track.plan.stream.name} room={room} track={track} number={i + 1} large={!grid && i === large}
          choose={() => { choose(i); setGrid(false); }}>
          {cameras.length > 1 && (grid ? i === 0 : i === large) && (
            <button aria-pressed={grid} onClick={() => setGrid(!grid)}>{t("stage.grid")}</button>
          )}
        </Tile>
      ))}
      <div hidden>{microphones.map((track) => <Mount key={track.plan.stream.name} track={track} />)}</div>
    </section>
  );
}

function Mount({ track }: { track: Track }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    ref.current!.append(track.element);
    return () => track.element.remove();
  }, [track]);
  return <div ref={ref} class="mount" />;
}

function Tile(props: {
  room: Room; track: Track; number: number; large: boolean; choose: () => void; children?: ComponentChildren;
}) {
  const { room, track, large } = props;
  const box = useRef<HTMLDivElement>(null);
  useWatch(room.player, () => `${track.state} ${track.state === "gap" ? room.player.missing(track).from : ""} ${room.player.waiting}`);
  const name = streamName(track.plan.stream.name, room.hearing.streams);
  const video = track.element as HTMLVideoElement;
  return (
    <div ref={box} class={`tile ${large ? "large" : "small"}`} data-state={track.state}>
      <Mount track={track} />
      <Slate room={room} track={track} />
      <div class="tile-bar">
        <button class="tile-name" aria-pressed={large} onClick={props.choose} aria-label={t("stage.choose", { name, number: String(props.number) })}>
          <kbd>{props.number}</kbd><span>{large ? name : shortStreamName(track.plan.stream.name, room.hearing.streams)}</span>
        </button>
        <span class="tile-tools">
          {props.children}
          {document.pictureInPictureEnabled && (
            <button class="square" aria-label={t("stage.float", { name })} title={t("stage.float", { name })}
              onClick={() => void video.requestPictureInPicture().catch(() => undefined)}><Icon name="window" /></button>
          )}
          <button class="square" aria-label={t("stage.full", { name })} title={t("stage.full", { name })}
            onClick={() => (document.fullscreenElement ? void document.exitFullscreen() : void box.current?.requestFullscreen())}><Icon name="full" /></button>
        </span>
      </div>
    </div>
  );
}

// Who declared lost what would be shown now.
function lostNow(room: Room, track: Track): Lost | undefined {
  const wall = room.player.wall;
  const here = track.plan.covering(wall, wall + 1).find((placed) => room.ledger.state(placed.segment.index) === "lost");
  const digest = here && room.verdict?.objectOf.get(here.segment.index);
  return digest ? room.verdict!.chain.lost.get(digest) : undefined;
}

// What stands where no picture can: why, and from when to when.
function Slate({ room, track }: { room: Room; track: Track }) {
  const zone = room.hearing.zone;
  if (track.state === "unsupported") {
    return (
      <div class="slate" role="note">
        <strong>{t("slate.unsupported", { codec: codecName(track.codecs) })}</strong>
        <span>{t("slate.unsupported-note")}</span>
        <PlayElsewhere room={room} />
      </div>
    );
  }
  if (track.state === "altered") {
    const lost = lostNow(room, track);
    if (lost) {
      const who = lost.by === "officers" ? t("slate.lost-officers", { names: lost.officers.join(t("list.comma")), at: dateTime(parseUtc(lost.utc), zone) }) : t("slate.lost-room");
      return <div class="slate gap attention" data-slate="lost" tabIndex={0}><strong>{t("slate.lost")}</strong><span>{who}</span></div>;
    }
    return <div class="slate bad"><Icon name="cross" /><strong>{t("slate.altered")}</strong><span>{t("slate.altered-note")}</span></div>;
  }
  if (track.state === "failed") return <div class="slate"><strong>{t("slate.failed")}</strong><span>{t("slate.failed-note")}</span></div>;
  if (track.state === "loading") return <div class="slate soft">{t("slate.loading")}</div>;
  if (track.state !== "gap") return null;
  const missing = room.player.missing(track);
  const gap = missing.gap;
  return (
    <div class={`slate gap ${gap?.excused ? "" : "attention"}`} data-slate={gap?.reason ?? "undeclared"} tabIndex={0}>
      <strong>{t("slate.gap")}</strong>
      <span class="num">{t("slate.from-to", { from: clock(missing.from, zone), to: clock(missing.to, zone), length: duration(missing.to - missing.from) })}</span>
      <span>{gap ? t(`reason.${gap.reason}`) : t("reason.undeclared")}</span>
      {gap?.note && <span>{gap.note}</span>}
    </div>
  );
}

function SoundOnly({ room }: { room: Room }) {
  const track = room.player.tracks[0];
  useWatch(room.player, () => room.player.tracks.map((tr) => tr.state).join());
  return (
    <div class="tile large sound-only" data-state={track?.state}>
      <Icon name="microphone" /><strong>{t("stage.sound-only")}</strong>
      {track && <Slate room={room} track={track} />}
    </div>
  );
}

function codecName(codecs: string): string {
  if (/^(hvc1|hev1)/.test(codecs)) return "H.265";
  if (codecs.startsWith("av01")) return "AV1";
  return codecs;
}
