// One hearing: pictures left, marks and details right, the timeline over the full width.
import { useEffect, useState } from "preact/hooks";
import { api, ApiError } from "../api";
import { Badge } from "../hearing/badge";
import { KeyHelp, useKeys } from "../hearing/keys";
import { Room } from "../hearing/room";
import { Side } from "../hearing/side";
import { Stage } from "../hearing/stage";
import { TimelineView } from "../hearing/timeline";
import { Transport } from "../hearing/transport";
import { nameOf, t } from "../i18n";
import { Notice } from "../parts/notice";
import { moment } from "../router";
import { clock, duration, longDate, parseUtc, zoneName } from "../time";
import type { Hearing, Session } from "../types";
import { pageMemory } from "../parts/memory";

export function HearingPage({ id, session }: { id: string; session: Session }) {
  const [room, setRoom] = useState<Room | undefined>();
  const [error, setError] = useState<unknown>();

  useEffect(() => {
    let opened: Room | undefined;
    let left = false;
    Promise.all([api.hearing(id), api.timeline(id)]).then(([hearing, timeline]) => {
      if (left) return;
      opened = new Room(hearing, timeline, pageMemory, momentMs());
      setRoom(opened);
    }, setError);
    return () => {
      left = true;
      opened?.close();
    };
  }, [id]);
  useEffect(() => {
    const jump = () => {
      const at = momentMs();
      if (at !== undefined) room?.player.seek(at);
    };
    addEventListener("hashchange", jump);
    return () => removeEventListener("hashchange", jump);
  }, [room]);

  if (error) {
    const hidden = error instanceof ApiError && (error.status === 403 || error.status === 404);
    return <Notice error={error} what={t("hearing.not-opened")}>{hidden && <> {t("hearing.whom-to-ask")}</>}</Notice>;
  }
  if (!room) return <div class="loading" aria-busy="true">{t("hearing.opening")}</div>;
  return <Opened room={room} session={session} key={id} />;
}

function momentMs(): number | undefined {
  const at = Date.parse(moment() ?? "");
  return Number.isNaN(at) ? undefined : at;
}

function Opened({ room, session }: { room: Room; session: Session }) {
  const [, redraw] = useState(0);
  const [chosen, choose] = useState(0);
  const [marking, setMarking] = useState<number | undefined>();
  const [help, setHelp] = useState(false);
  const hearing = room.hearing;
  const canMark = hearing.rights.mark;
  const startMark = () => canMark && setMarking(room.player.wall);
  useKeys({ room, choose, startMark, showHelp: () => setHelp(true) });
  const update = (next: Hearing) => {
    room.setHearing(next);
    redraw((n) => n + 1);
  };
  return (
    <article class="hearing" aria-labelledby="hearing-title">
      <Head hearing={hearing} room={room} />
      <div class="watch">
        <Stage room={room} chosen={chosen} choose={choose} />
        <Side room={room} session={session} onHearing={update} marking={marking} setMarking={setMarking} />
      </div>
      <Transport room={room} onMark={canMark ? startMark : undefined} onHelp={() => setHelp(true)} />
      <TimelineView room={room} />
      {help && <KeyHelp onClose={() => setHelp(false)} />}
    </article>
  );
}

function Head({ hearing, room }: { hearing: Hearing; room: Room }) {
  const start = parseUtc(hearing.start ?? hearing.scheduled ?? room.timeline.start);
  return (
    <header class="hearing-head">
      <div>
        <p class="cases">{hearing.cases.join(t("list.comma"))}</p>
        <h1 id="hearing-title">{hearing.title || t("hearing.untitled")}</h1>
        <p class="quiet">
          {nameOf(hearing.court_names, hearing.court)} · {nameOf(hearing.room_names, hearing.room)} ·{" "}
          <span title={zoneName(start, hearing.zone)}>{longDate(start, hearing.zone)}{t("list.comma")}
            {clock(start, hearing.zone, false)}{hearing.end ? `–${clock(parseUtc(hearing.end), hearing.zone, false)}` : ""}</span> · {duration(hearing.duration_ms)}
          {room.timeline.live && <span class="state live"> ● {t("state.open")}</span>}
        </p>
      </div>
      <Badge room={room} />
    </header>
  );
}
