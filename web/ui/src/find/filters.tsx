// The filters: each one in force is a chip that can be taken off; the others wait behind one button.
import { useEffect, useRef, useState } from "preact/hooks";
import { nameOf, t } from "../i18n";
import { Icon } from "../parts/icons";
import type { Query } from "../router";
import { date } from "../time";
import type { Places } from "../types";

const kNames = ["court", "room", "judge", "from", "to", "gaps", "state"];

export function hasFilter(query: Query): boolean {
  return kNames.some((name) => query[name]);
}

interface Props { query: Query; places: Places; onChange: (part: Query) => void }

export function Filters({ query, places, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const chips = kNames.filter((name) => query[name]);
  return (
    <div class="filters">
      <div class="chips">
        <button aria-expanded={open} aria-controls="filter-form" onClick={() => setOpen(!open)}>
          {t("filter.open")} <Icon name="down" class={open ? "up" : ""} />
        </button>
        {chips.map((name) => (
          <button key={name} class="chip" onClick={() => onChange({ [name]: "", ...(name === "court" ? { room: "" } : {}) })}
            aria-label={t("filter.remove", { what: chipText(name, query, places) })}>
            {chipText(name, query, places)} <Icon name="cross" />
          </button>
        ))}
        {chips.length > 1 && (
          <button class="plain" onClick={() => onChange(Object.fromEntries(kNames.map((n) => [n, ""])))}>{t("filter.clear")}</button>
        )}
      </div>
      {open && <FilterForm query={query} places={places} onChange={onChange} />}
    </div>
  );
}

function courtOf(query: Query, places: Places) {
  return places.courts.find((c) => c.court === query["court"]);
}

function chipText(name: string, query: Query, places: Places): string {
  const value = query[name] ?? "";
  const court = courtOf(query, places);
  if (name === "court") return nameOf(court?.names, value);
  if (name === "room") return nameOf(court?.rooms.find((r) => r.room === value)?.names, value);
  if (name === "judge") return t("filter.chip.judge", { name: value });
  if (name === "from") return t("filter.chip.from", { date: dayText(value) });
  if (name === "to") return t("filter.chip.to", { date: dayText(value) });
  if (name === "state") return t(`filter.state.${value}`);
  return t("filter.chip.gaps");
}

function dayText(day: string): string {
  const ms = Date.parse(`${day}T12:00:00Z`);
  return Number.isNaN(ms) ? day : date(ms, "UTC");
}

function FilterForm({ query, places, onChange }: Props) {
  const [judge, setJudge] = useState(query["judge"] ?? "");
  const court = courtOf(query, places);
  const first = useRef<HTMLSelectElement>(null);
  useEffect(() => first.current?.focus(), []);
  return (
    <form id="filter-form" class="filter-form" onSubmit={(e) => { e.preventDefault(); onChange({ judge }); }}>
      <label>{t("filter.court")}
        <select ref={first} value={query["court"] ?? ""} onChange={(e) => onChange({ court: e.currentTarget.value, room: "" })}>
          <option value="">{t("filter.any")}</option>
          {places.courts.map((c) => <option key={c.court} value={c.court}>{nameOf(c.names, c.court)}</option>)}
        </select>
      </label>
      <label>{t("filter.room")}
        <select value={query["room"] ?? ""} disabled={!court} onChange={(e) => onChange({ room: e.currentTarget.value })}>
          <option value="">{court ? t("filter.any") : t("filter.room-needs-court")}</option>
          {court?.rooms.map((r) => <option key={r.room} value={r.room}>{nameOf(r.names, r.room)}</option>)}
        </select>
      </label>
      <label>{t("filter.judge")}
        <input value={judge} maxLength={200} onInput={(e) => setJudge(e.currentTarget.value)} onBlur={() => judge !== (query["judge"] ?? "") && onChange({ judge })} />
      </label>
      <label>{t("filter.from")}
        <input type="date" value={query["from"] ?? ""} max={query["to"] || undefined} onChange={(e) => onChange({ from: e.currentTarget.value })} />
      </label>
      <label>{t("filter.to")}
        <input type="date" value={query["to"] ?? ""} min={query["from"] || undefined} onChange={(e) => onChange({ to: e.currentTarget.value })} />
      </label>
      <label>{t("filter.state")}
        <select value={query["state"] ?? ""} onChange={(e) => onChange({ state: e.currentTarget.value })}>
          <option value="">{t("filter.any")}</option>
          <option value="open">{t("filter.state.open")}</option>
          <option value="closed">{t("filter.state.closed")}</option>
        </select>
      </label>
      <label class="tick">
        <input type="checkbox" checked={query["gaps"] === "1"} onChange={(e) => onChange({ gaps: e.currentTarget.checked ? "1" : "" })} />
        {t("filter.gaps")}
      </label>
    </form>
  );
}
