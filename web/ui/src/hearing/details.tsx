// What the hearing is about, as it stands today, and below it every earlier version with who changed it and why.
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { CopyButton } from "../parts/copy";
import { dateTime, parseUtc } from "../time";
import type { Correction, Details, Hearing } from "../types";
import { CorrectForm } from "./correct";
import { PlayElsewhere } from "./play_elsewhere";
import type { Room } from "./room";
import { Shares } from "./shares";
import { citation } from "./transport";

interface Field { name: string; value: string }

export function fieldsOf(details: Details, zone: string): Field[] {
  const field = (name: string, value: string) => ({ name, value });
  return [
    field("cases", details.cases.join("\n")),
    field("title", details.title),
    field("parties", details.parties.map((p) => (p.role ? t("details.party", { name: p.name, role: p.role }) : p.name)).join("\n")),
    field("judges", details.judges.join("\n")),
    field("clerk", details.clerk),
    field("scheduled", details.scheduled ? dateTime(parseUtc(details.scheduled), zone) : ""),
    field("public", t(details.public ? "details.public-yes" : "details.public-no")),
  ];
}

export function DetailsPanel({ room, onHearing }: { room: Room; onHearing: (hearing: Hearing) => void }) {
  const [editing, setEditing] = useState(false);
  const hearing = room.hearing;
  const newestFirst = [...hearing.corrections].reverse();
  const fields = fieldsOf(hearing.details, hearing.zone).filter((f) => f.value !== "");
  if (hearing.archive) fields.push({ name: "kept-by", value: hearing.archive });
  return (
    <div class="details">
      <Fields fields={fields} />
      <div class="buttons">
        <CopyButton label={t("transport.copy-citation")} text={() => citation(room)} />
        {hearing.rights.correct && <button onClick={() => setEditing(true)}>{t("correct.open")}</button>}
      </div>
      {newestFirst.length > 0 && (
        <section class="versions">
          <h2>{t("details.earlier")}</h2>
          <ol>
            {newestFirst.map((correction, i) => (
              <li key={`${correction.origin} ${correction.index}`}><Version correction={correction} after={newestFirst[i - 1]?.before ?? hearing.details} zone={hearing.zone} /></li>
            ))}
          </ol>
        </section>
      )}
      {hearing.rights.shares && <Shares hearing={hearing} />}
      <section class="elsewhere-section">
        <h2>{t("elsewhere.title")}</h2>
        <p class="quiet small">{t("elsewhere.note")}</p>
        <PlayElsewhere room={room} />
      </section>
      {editing && <CorrectForm hearing={hearing} onClose={() => setEditing(false)} onDone={(next) => { onHearing(next); setEditing(false); }} />}
    </div>
  );
}

function Fields({ fields }: { fields: Field[] }) {
  return (
    <dl>
      {fields.map((field) => (
        <div key={field.name}><dt>{t(`details.${field.name}`)}</dt><dd>{field.value || t("details.empty")}</dd></div>
      ))}
    </dl>
  );
}

// Only what this correction changed: the old value and the one that replaced it.
function Version({ correction, after, zone }: { correction: Correction; after: Details; zone: string }) {
  const now = fieldsOf(after, zone);
  const changed = fieldsOf(correction.before, zone).filter((field, i) => field.value !== now[i]!.value);
  return (
    <>
      <p><span class="num">{dateTime(parseUtc(correction.utc), zone)}</span>{correction.account_name && ` · ${correction.account_name}`}</p>
      <p class="reason">{correction.origin === "room" ? t("details.in-room") : t("details.reason", { reason: correction.reason })}</p>
      <dl>
        {changed.map((field) => (
          <div key={field.name}><dt>{t(`details.${field.name}`)}</dt>
            <dd><del>{field.value || t("details.empty")}</del>{" "}
              <ins>{now.find((f) => f.name === field.name)!.value || t("details.empty")}</ins></dd></div>
        ))}
      </dl>
    </>
  );
}
