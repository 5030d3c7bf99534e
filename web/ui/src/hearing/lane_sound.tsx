// The name of a lane and, for what can be heard, its controls: mute, alone, loudness, level.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../parts/icons";
import { useWatch } from "../parts/watch";
import type { Track } from "../player/track";
import { shortStreamName, streamName } from "./names";
import type { Room } from "./room";

export function LaneSound({ room, track }: { room: Room; track: Track }) {
  const [, redraw] = useState(0);
  const stream = track.plan.stream;
  const name = streamName(stream.name, room.hearing.streams);
  const sound = room.player.sound;
  const channel = sound.channels.get(stream.name);
  useWatch(room.player, () => `${track.state} ${channel?.muted} ${channel?.solo}`);
  const set = (change: Parameters<typeof sound.set>[1]) => {
    sound.set(stream.name, change);
    redraw((n) => n + 1);
    room.changed();
  };
  const sign = stream.source === "screen" ? "screen" : track.hasPicture ? "camera" : "microphone";
  return (
    <div class={`lane-name ${track.hasPicture ? "picture" : "sound"}`} data-lane={stream.name} data-state={track.state}>
      <Icon name={sign} />
      <span class="lane-title" title={name} aria-label={name}>{shortStreamName(stream.name, room.hearing.streams)}</span>
      {channel && (
        <span class="lane-controls">
          <button class="key" aria-pressed={channel.muted} aria-label={t("sound.mute", { name })} title={t("sound.mute", { name })}
            onClick={() => set({ muted: !channel.muted })}>{t("sound.mute-short")}</button>
          <button class="key" aria-pressed={channel.solo} aria-label={t("sound.solo", { name })} title={t("sound.solo", { name })}
            onClick={() => set({ solo: !channel.solo })}>{t("sound.solo-short")}</button>
          <input type="range" min="0" max="200" step="5" value={String(Math.round(channel.gain * 100))} aria-label={t("sound.gain", { name })}
            aria-valuetext={`${Math.round(channel.gain * 100)} %`} onInput={(e) => set({ gain: Number(e.currentTarget.value) / 100 })} />
          <Level room={room} name={stream.name} />
        </span>
      )}
    </div>
  );
}

function Level({ room, name }: { room: Room; name: string }) {
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    let frame = 0;
    const show = () => {
      const level = room.player.playing ? room.player.sound.level(name) : 0;
      bar.current?.style.setProperty("transform", `scaleX(${level.toFixed(3)})`);
      frame = requestAnimationFrame(show);
    };
    show();
    return () => cancelAnimationFrame(frame);
  }, [room, name]);
  return <span class="level" aria-hidden="true"><i ref={bar} /></span>;
}
