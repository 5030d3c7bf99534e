// One hearing: pictures left, marks and details right, the timeline over the full width.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { Badge } from "../hearing/badge";
import { KeyHelp, useKeys } from "../hearing/keys";
import { Room } from "../hearing/room";
import { Side } from "../hearing/side";
import { Sittings } from "../hearing/sittings";
import { Stage } from "../hearing/stage";
import { TimelineView } from "../hearing/timeline";
import { Transport } from "../hearing/transport";
import { ApiError } from "../http";
import { nameOf, t } from "../i18n";
import { Icon } from "../parts/icons";
import { Notice } from "../parts/notice";
import { SharedBy } from "../parts/shared_by";
import { useWatch } from "../parts/watch";
import { moment } from "../router";
import { clock, duration, longDate, parseUtc, zoneName } from "../time";
import type { Hearing, Session } from "../types";
import { pageMemory } from "../parts/memory";

export function HearingPage({ id, session }: { id: string; session: Session }) {
  const [room, setRoom] = useState<Room | undefined>();
  const [known, setKnown] = useState<Hearing | undefined>();
  const [error, setError] = useState<unknown>();

  useEffect(() => {
    let opened: Room | undefined;
    let left = false;
    const open = async () => {
      const [hearing, timeline] = await Promise.all([api.hearing(id).then((h) => { setKnown(h); return h; }), api.timeline(id)]);
      if (left) return;
      opened = new Room(hearing, timeline, pageMemory, momentMs());
      setRoom(opened);
    };
    open().catch(setError);
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

  if (error instanceof ApiError && error.status === 422 && known) return <ListDamaged hearing={known} error={error} />;
  if (error) {
    const hidden = error instanceof ApiError && (error.status === 403 || error.status === 404);
    return <Notice error={error} what={t("hearing.not-opened")}>{hidden && <> {t("hearing.whom-to-ask")}</>}</Notice>;
  }
  if (!room) return <div class="loading" aria-busy="true">{t("hearing.opening")}</div>;
  return <Opened room={room} session={session} key={id} />;
}

// The archive itself finds that its list of this hearing is not the signed one: nothing can be played, and that is told
// as loudly as an altered stretch.
function ListDamaged({ hearing, error }: { hearing: Hearing; error: ApiError }) {
  const at = (utc: string | undefined) => clock(parseUtc(utc ?? hearing.scheduled), hearing.zone);
  return (
    <article class="hearing" aria-labelledby="hearing-title">
      <header class="hearing-head">
        <HeadText hearing={hearing} live={false} />
        <p class="badge bad" data-badge="bad" role="alert"><Icon name="cross" />
          <span><strong>{t("badge.altered")}</strong><small>{t("hearing.list-damaged", { from: at(hearing.start), to: at(hearing.end) })}</small></span></p>
      </header>
      <p>{t("proof.what-to-do")}</p>
      <p class="quiet small">{error.message}</p>
    </article>
  );
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
  // In the courtroom the case of a hearing that is still recorded may be corrected.
  useWatch(room, () => String(room.hearing.corrections.length));
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
      <Sittings hearing={hearing} />
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
  return (
    <header class="hearing-head">
      <HeadText hearing={hearing} live={room.timeline.live} />
      <Badge room={room} />
    </header>
  );
}

function HeadText({ hearing, live }: { hearing: Hearing; live: boolean }) {
  const start = parseUtc(hearing.start ?? hearing.scheduled);
  return (
    <div>
      <p class="cases">{hearing.cases.join(t("list.comma"))}</p>
      <h1 id="hearing-title">{hearing.title || t("hearing.untitled")}</h1>
      <p class="quiet">
        {nameOf(hearing.court_names, hearing.court)} · {nameOf(hearing.room_names, hearing.room)} ·{" "}
        <span title={zoneName(start, hearing.zone)}>{longDate(start, hearing.zone)}{t("list.comma")}
          {clock(start, hearing.zone, false)}{hearing.end ? `–${clock(parseUtc(hearing.end), hearing.zone, false)}` : ""}</span> · {duration(hearing.duration_ms)}
        {live && <span class="state live"> ● {t("state.open")}</span>}
      </p>
      {hearing.shared && <p><SharedBy row={hearing} /></p>}
    </div>
  );
}
