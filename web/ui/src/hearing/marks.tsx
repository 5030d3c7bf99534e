// Marks and events in order of time: press one to go there, write one where you are.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { t } from "../i18n";
import { Icon } from "../parts/icons";
import { Notice } from "../parts/notice";
import { useWatch } from "../parts/watch";
import { clock, duration, parseUtc, toUtc } from "../time";
import type { Explanation, Gap, Mark } from "../types";
import { streamName, streamsText } from "./names";
import type { Room } from "./room";

interface Props { room: Room; marking: number | undefined; setMarking: (at: number | undefined) => void }
type Line = { at: number; mark: Mark } | { at: number; gap: Gap };

export function MarksPanel({ room, marking, setMarking }: Props) {
  const lines: Line[] = [
    ...room.timeline.marks.map((mark) => ({ at: parseUtc(mark.at), mark })),
    ...room.timeline.gaps.map((gap) => ({ at: parseUtc(gap.from), gap })),
  ].sort((a, b) => a.at - b.at);
  const currentLine = () => lines.filter((line) => line.at <= room.player.wall + 200).length - 1;
  useWatch(room.player, () => String(currentLine()));
  useWatch(room, () => String(!room.verdict));
  const current = currentLine();
  return (
    <div class="marks">
      {marking !== undefined && <MarkForm room={room} at={marking} onDone={() => setMarking(undefined)} />}
      {lines.length === 0 && <p class="quiet">{t("mark.none")}</p>}
      <ol>
        {lines.map((line, i) => (
          <li key={"mark" in line ? line.mark.id : `gap ${line.gap.index}`} class={i === current ? "current" : ""}>
            <button class="plain line" aria-current={i === current ? "true" : undefined} onClick={() => room.player.seek(line.at)}>
              <span class="num">{clock(line.at, room.hearing.zone)}</span>
              {"mark" in line ? <MarkText room={room} mark={line.mark} /> : <GapText room={room} gap={line.gap} />}
            </button>
          </li>
        ))}
      </ol>
      {room.hearing.rights.mark && marking === undefined && (
        <button onClick={() => setMarking(room.player.wall)}><Icon name="flag" />{t("mark.add-here")} <kbd>M</kbd></button>
      )}
    </div>
  );
}

function MarkText({ room, mark }: { room: Room; mark: Mark }) {
  const verdict = room.verdict;
  const who = [mark.stream && streamName(mark.stream, room.hearing.streams), mark.account_name || t(`mark.origin.${mark.origin}`),
    verdict && !verdict.provenMarks.has(mark.id) && t("mark.unproven")];
  return (
    <span>
      <span class="mark-text">{mark.text || t("mark.lost")}</span>
      <small class="quiet">{who.filter(Boolean).join(" · ")}</small>
    </span>
  );
}

function GapText({ room, gap }: { room: Room; gap: Gap }) {
  const length = duration(parseUtc(gap.to) - parseUtc(gap.from));
  return (
    <span class={`gap-text ${gap.excused ? "" : "attention"}`}>
      <span>{!gap.excused && <Icon name="warn" />}{t("gap.line", { length, reason: t(`reason.${gap.reason}`) })}</span>
      <small class="quiet">{streamsText(gap.streams, room.hearing.streams)}{gap.note && ` · ${gap.note}`}</small>
      {gap.explanations?.map((one) => <ExplanationText key={one.index} explanation={one} />)}
    </span>
  );
}

// What somebody filed afterwards. It explains the gap and does not excuse it, and is never shown as if it did.
function ExplanationText({ explanation }: { explanation: Explanation }) {
  const who = [explanation.person, explanation.reason && t(`reason.${explanation.reason}`)].filter(Boolean).join(" · ");
  return (
    <span class="explanation">
      <span>{t("explanation.later", { words: explanation.text || t("explanation.lost") })}</span>
      <small class="quiet">{who}{who && " · "}{t("explanation.no-excuse")}</small>
    </span>
  );
}

function MarkForm({ room, at, onDone }: { room: Room; at: number; onDone: () => void }) {
  const [text, setText] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!text.trim()) return;
    setBusy(true);
    try {
      room.addMark(await api.addMark(room.hearing.id, { at: toUtc(at), text: text.trim() }));
      onDone();
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return (
    <form class="mark-form" onSubmit={submit} onKeyDown={(e) => e.key === "Escape" && onDone()}>
      <label for="mark-text">{t("mark.at", { time: clock(at, room.hearing.zone) })}</label>
      <textarea id="mark-text" ref={field} rows={2} maxLength={1000} value={text} onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => { if (e.key === "Enter" && !e.shiftKey && !e.isComposing) void submit(e); }} />
      {error !== undefined && <Notice error={error} what={t("mark.failed")} />}
      <div class="buttons">
        <button class="main" disabled={busy || !text.trim()}>{t("mark.save")}</button>
        <button type="button" onClick={onDone}>{t("dialog.cancel")}</button>
      </div>
      <p class="quiet small">{t("mark.kept")}</p>
    </form>
  );
}
