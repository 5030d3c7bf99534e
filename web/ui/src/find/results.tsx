// The rows: number, title, parties, place, time, length, streams, state. A table for the eye, a list of links for keys.
import type { ComponentChildren } from "preact";
import { nameOf, t } from "../i18n";
import { Icon } from "../parts/icons";
import { SharedBy } from "../parts/shared_by";
import { href } from "../router";
import { clock, date, duration, parseUtc, zoneName } from "../time";
import type { Row } from "../types";
import { Highlight, wordsOf } from "./highlight";

interface Props {
  rows: Row[] | undefined;
  words: string;
  empty: ComponentChildren;
  onMove: (index: number, event: KeyboardEvent) => void;
}

export function ResultList({ rows, words, empty, onMove }: Props) {
  if (!rows) return <div id="results" class="results" aria-busy="true" />;
  if (rows.length === 0) return <div id="results" class="results empty">{empty}</div>;
  const marked = wordsOf(words);
  const move = (event: KeyboardEvent) => {
    const links = [...document.querySelectorAll("#results a.row")];
    const at = links.indexOf(document.activeElement as Element);
    if (event.key === "ArrowDown" && at < links.length - 1) onMove(at + 1, event);
    if (event.key === "ArrowUp") onMove(at - 1, event);
    if (event.key === "Home") onMove(0, event);
    if (event.key === "End") onMove(links.length - 1, event);
  };
  return (
    <ol id="results" class="results" onKeyDown={move}>
      {rows.map((row) => <li key={row.id}><ResultRow row={row} words={marked} /></li>)}
    </ol>
  );
}

function ResultRow({ row, words }: { row: Row; words: string[] }) {
  const start = parseUtc(row.start ?? row.scheduled);
  const found = row.mark_matches?.[0];
  const target = found ? href({ hearing: row.id }, found.at) : href({ hearing: row.id });
  return (
    <a class="row" href={target}>
      <span class="row-when">
        {Number.isNaN(start) ? <span>{t("row.no-date")}</span> : (
          <>
            <span class="row-date">{date(start, row.zone)}</span>
            <span class="row-time" title={zoneName(start, row.zone)}>
              {clock(start, row.zone, false)}{row.end ? `–${clock(parseUtc(row.end), row.zone, false)}` : ""}
            </span>
          </>
        )}
      </span>
      <span class="row-what">
        <span class="row-cases">{row.cases.map((number, i) => (
          <span key={number}>{i > 0 && t("list.comma")}<Highlight text={number} words={words} /></span>))}
        </span>
        <span class="row-title"><Highlight text={row.title} words={words} /></span>
        <span class="row-parties">{row.parties.map((party, i) => (
          <span key={i}>{i > 0 && t("list.semicolon")}<Highlight text={party.name} words={words} />
            {party.role && <span class="quiet"> {t("row.role", { role: party.role })}</span>}</span>))}
        </span>
        {row.mark_matches?.slice(0, 3).map((m) => (
          <span key={m.at} class="row-mark"><Icon name="flag" /><span class="num">{clock(parseUtc(m.at), row.zone)}</span>{" "}
            <Highlight text={m.text} words={words} /></span>))}
      </span>
      <span class="row-where">
        <SharedBy row={row} />
        <span><Highlight text={nameOf(row.court_names, row.court)} words={words} /></span>
        <span><Highlight text={nameOf(row.room_names, row.room)} words={words} /></span>
        {row.archive && <span class="quiet">{t("row.copy", { archive: row.archive })}</span>}
        <span class="quiet"><Highlight text={row.judges.join(t("list.comma"))} words={words} /></span>
      </span>
      <span class="row-state">
        <span class="num">{duration(row.duration_ms)}</span>
        <StreamSigns row={row} />
        <RowState row={row} />
      </span>
    </a>
  );
}

function StreamSigns({ row }: { row: Row }) {
  const cameras = row.streams.filter((s) => s.medium === "video").length;
  const microphones = row.streams.length - cameras;
  return (
    <span class="signs">
      {cameras > 0 && <span title={t("row.cameras", { n: cameras })}><Icon name="camera" />{cameras}<span class="hidden">{t("row.cameras", { n: cameras })}</span></span>}
      {microphones > 0 && <span title={t("row.microphones", { n: microphones })}><Icon name="microphone" />{microphones}<span class="hidden">{t("row.microphones", { n: microphones })}</span></span>}
    </span>
  );
}

function RowState({ row }: { row: Row }) {
  return (
    <span class="states">
      {row.state === "open" && <span class="state live"><Icon name="dot" />{t("state.open")}</span>}
      {row.state === "closed" && row.gap_count === 0 && <span class="state quiet">{t("state.closed")}</span>}
      {row.gap_count > 0 && row.unexcused_gap_count === 0 && <span class="state quiet">{t("state.gaps", { n: row.gap_count })}</span>}
      {row.unexcused_gap_count > 0 && <span class="state attention"><Icon name="warn" />{t("state.unexcused", { n: row.unexcused_gap_count })}</span>}
      {!row.public && <span class="state restricted"><Icon name="lock" />{t("state.not-public")}</span>}
    </span>
  );
}
