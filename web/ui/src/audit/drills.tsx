// Drills of the archives whose copies are kept here: how each went, how long it took, and what failed. Nothing, where no copies are kept.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { siteOf } from "../hearing/names";
import { bytes, number, t } from "../i18n";
import { Digest } from "../parts/copy";
import { Icon } from "../parts/icons";
import { Notice } from "../parts/notice";
import { Ago } from "../parts/panel";
import { dateTime, duration, localZone, longDate, parseUtc } from "../time";
import type { Drill, DrillReport, HeldCopy } from "../types";
import { RtoPlot } from "./rto_plot";

const kPage = 50;

export function Drills() {
  const [copies, setCopies] = useState<HeldCopy[]>([]);
  const [drills, setDrills] = useState<Drill[]>([]);
  const [before, setBefore] = useState<number | undefined>();
  const [error, setError] = useState<unknown>();
  const load = (from?: number) =>
    api.drills({ before: from, limit: kPage }).then((page) => {
      setCopies(page.archives);
      setDrills((old) => (from === undefined ? page.drills : [...old, ...page.drills]));
      setBefore(page.next_before);
      setError(undefined);
    }, setError);
  useEffect(() => void load(), []);
  if (error !== undefined) return <Notice error={error} what={t("drill.title")} onRetry={() => void load()} />;
  if (copies.length === 0 && drills.length === 0) return null;
  return (
    <section class="drills" aria-label={t("drill.title")}>
      <h2>{t("drill.title")}</h2>
      <p class="quiet">{t("drill.intro")}</p>
      {copies.map((copy) => <Copy key={copy.archive} copy={copy} />)}
      {drills.length === 0 ? <p class="quiet">{t("drill.none")}</p> : (
        <>
          {[...new Set(drills.map((drill) => drill.archive))].map((archive) => (
            <RtoPlot key={archive} archive={siteOf(archive)} drills={drills.filter((drill) => drill.archive === archive)} />
          ))}
          <DrillTable drills={drills} />
        </>
      )}
      {before !== undefined && <p class="more"><button onClick={() => void load(before)}>{t("find.more")}</button></p>}
    </section>
  );
}

function Copy({ copy }: { copy: HeldCopy }) {
  return (
    <>
      <p class={copy.late ? "attention-text" : ""}>
        {copy.late && <Icon name="warn" />}
        <strong>{siteOf(copy.archive)}</strong> · {t("drill.last-good")}{t("colon")}<Ago utc={copy.good} now={Date.now()} />
        {copy.late && ` · ${t("drill.late")}`}{copy.running && ` · ${t("drill.running")}`}
      </p>
      {copy.problem && <p class="attention-text">{t("drill.problem")} <code lang="en">{copy.problem}</code></p>}
    </>
  );
}

// Its columns; on a phone each stands before its value.
function columns(): { name: string; note?: string }[] {
  return [
    { name: t("drill.date") }, { name: t("drill.archive") }, { name: t("drill.result") }, { name: t("drill.read") },
    { name: t("drill.rto"), note: t("drill.rto-note") }, { name: t("drill.rpo"), note: t("drill.rpo-note") },
    { name: t("drill.level"), note: t("drill.level-note") },
  ];
}

function DrillTable({ drills }: { drills: Drill[] }) {
  return (
    <table>
      <thead><tr>{columns().map(({ name, note }) => <th key={name} scope="col" title={note}>{name}</th>)}</tr></thead>
      {drills.map((drill) => <DrillRows key={drill.index} drill={drill} />)}
    </table>
  );
}

function DrillRows({ drill }: { drill: Drill }) {
  const { report } = drill;
  const date = dateTime(parseUtc(drill.utc), localZone());
  const well = drill.failures === 0;
  const names = columns().map((column) => column.name);
  return (
    <tbody>
      <tr class="figures">
        <td class="num" data-name={names[0]}>{date}</td>
        <td data-name={names[1]}>{siteOf(drill.archive)}</td>
        <td data-name={names[2]} class={well ? "good-text" : "bad-text"}>
          <span><Icon name={well ? "check" : "cross"} />{well ? t("drill.well") : t("drill.failures", { n: drill.failures })}</span></td>
        <td class="num" data-name={names[3]}>{t("drill.objects", { n: drill.objects })}</td>
        <td class="num" data-name={names[4]}>{report?.rto_ms !== undefined ? duration(report.rto_ms) : ""}</td>
        <td class="num" data-name={names[5]}>{report ? duration(report.rpo_ms) : ""}</td>
        <td class="num" data-name={names[6]}>{report && report.level > 0 ? number(report.level) : ""}</td>
      </tr>
      <tr><td colSpan={names.length}>
        <details><summary aria-label={t("drill.of", { date })}>{t("drill.more")}</summary><Details drill={drill} report={report} /></details>
      </td></tr>
    </tbody>
  );
}

function Details({ drill, report }: { drill: Drill; report: DrillReport | undefined }) {
  return (
    <>
      {!report && <p class="attention-text">{t("drill.no-report")}</p>}
      {report && report.failures.length > 0 && (
        <ul class="bad-text">
          {report.failures.map((failure, i) => <li key={i}>{t(`drill.failure.${failure.code}`)}{t("colon")}<code lang="en">{failure.what}</code></li>)}
          {report.failures.length < report.failure_count && <li>{t("drill.more-failures", { n: report.failure_count - report.failures.length })}</li>}
        </ul>
      )}
      <dl>
        {report && <div><dt>{t("drill.why")}</dt><dd>{t(report.asked ? "drill.asked" : "drill.at-its-time")} · {duration(parseUtc(report.ended) - parseUtc(report.began))}</dd></div>}
        <div><dt>{t("drill.held")}</dt><dd>{t("status.cosigned-size", { n: drill.size })} · <Digest value={drill.root} /></dd></div>
        {report && <Found report={report} />}
        <div><dt>{t("drill.report")}</dt><dd><Digest value={drill.report_sha256} /></dd></div>
        <div><dt>{t("drill.entry")}</dt><dd class="num">{number(drill.index)}</dd></div>
      </dl>
    </>
  );
}

function Found({ report }: { report: DrillReport }) {
  const { catalogue, day, media, sample } = report;
  return (
    <>
      {catalogue && (
        <div><dt>{t("drill.catalogue")}</dt><dd class={catalogue.equal ? "" : "bad-text"}>
          {duration(report.ms.catalogue)} · {t("drill.hearings", { n: catalogue.hearings })} · {t(catalogue.equal ? "drill.same" : "drill.differs")}</dd></div>
      )}
      <div><dt>{t("drill.sample")}</dt><dd>{t("drill.objects", { n: sample.objects })} · {bytes(sample.bytes)} · {duration(report.ms.sample)}</dd></div>
      {day && (
        <div><dt>{t("drill.day")}</dt><dd>{longDate(parseUtc(`${day.date}T00:00:00.000Z`), "UTC")} · {t("drill.hearings", { n: day.hearings })} ·{" "}
          {t("drill.objects", { n: day.objects })} · {bytes(day.bytes)} · {duration(report.ms.day)}</dd></div>
      )}
      {media && (
        <div><dt>{t("drill.media")}</dt><dd>{duration(media.media_ms)} · <code>{media.stream}</code> ·{" "}
          <a href={`/?hearing=${media.hearing}`}>{t("drill.hearing")}</a></dd></div>
      )}
    </>
  );
}
