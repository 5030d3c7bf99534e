// The side column: marks, details.
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { useWatch } from "../parts/watch";
import type { Hearing, Session } from "../types";
import { DetailsPanel } from "./details";
import { MarksPanel } from "./marks";
import type { Room } from "./room";

interface Props {
  room: Room;
  session: Session;
  onHearing: (hearing: Hearing) => void;
  marking: number | undefined;
  setMarking: (at: number | undefined) => void;
}

const kTabs = ["marks", "details"] as const;

export function Side({ room, onHearing, marking, setMarking }: Props) {
  const [tab, setTab] = useState<(typeof kTabs)[number]>("marks");
  useWatch(room, () => String(room.timeline.marks.length));
  const shown = marking === undefined ? tab : "marks";
  const move = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const next = kTabs[(kTabs.indexOf(shown) + 1) % kTabs.length]!;
    setTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  const count = { marks: room.timeline.marks.length, details: room.hearing.corrections.length };
  return (
    <section class="side">
      <div role="tablist" aria-label={t("side.label")} onKeyDown={move}>
        {kTabs.map((name) => (
          <button key={name} id={`tab-${name}`} role="tab" aria-selected={shown === name} aria-controls="side-panel"
            tabIndex={shown === name ? 0 : -1} onClick={() => { setTab(name); setMarking(undefined); }}>
            {t(`side.${name}`)}{count[name] > 0 && <span class="quiet num"> {count[name]}</span>}
          </button>
        ))}
      </div>
      <div id="side-panel" role="tabpanel" aria-labelledby={`tab-${shown}`} tabIndex={0}>
        {shown === "marks" && <MarksPanel room={room} marking={marking} setMarking={setMarking} />}
        {shown === "details" && <DetailsPanel room={room} onHearing={onHearing} />}
      </div>
    </section>
  );
}
