// Status, for operators: one sentence on top, then the numbers it rests on. No content, no names of parties.
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { bytes, has, nameOf, number, t } from "../i18n";
import { Digest } from "../parts/copy";
import { Icon } from "../parts/icons";
import { siteOf } from "../hearing/names";
import { Notice } from "../parts/notice";
import { Ago, Bar, Panel } from "../parts/panel";
import { clock, dateTime, duration, localZone, parseUtc } from "../time";
import type { HeldCopy, KnownAhead, Status, StatusReason } from "../types";

const kRefreshMs = 10_000;

export function StatusPage() {
  const [status, setStatus] = useState<Status | undefined>();
  const [error, setError] = useState<unknown>();
  const load = () => api.status().then((s) => { setStatus(s); setError(undefined); }, setError);
  useEffect(() => {
    void load();
    const timer = setInterval(() => void load(), kRefreshMs);
    return () => clearInterval(timer);
  }, []);
  if (!status) return error ? <Notice error={error} what={t("status.title")} onRetry={load} /> : <div class="loading" aria-busy="true" />;
  return (
    <>
      {error !== undefined && <Notice error={error} what={t("status.stale", { time: clock(parseUtc(status.now), localZone()) })} />}
      <Sentence status={status} />
      <div class="panels">
        <Stations status={status} />
        <Volumes status={status} />
        <LogPanel status={status} />
        {status.origins.length > 0 && <Origins status={status} />}
        {(status.archive.role === "primary" || status.second_sites.length > 0) && <SecondSites status={status} />}
        <Scrub status={status} />
      </div>
    </>
  );
}

function Sentence({ status }: { status: Status }) {
  const zone = localZone();
  const well = status.state === "well";
  return (
    <header class={`sentence ${well ? "good" : "attention"}`}>
      <Icon name={well ? "check" : "warn"} />
      <div>
        <h1>{well ? t("status.well") : t("status.attention", { n: status.reasons.length })}</h1>
        <p class="quiet">{t("status.as-of", { archive: status.archive.name, time: dateTime(parseUtc(status.now), zone) })}
          {status.archive.role === "replica" && ` ${t("status.replica")}`}
          {status.node.machines > 1 && ` ${t("status.writer", { n: status.node.machines, machine: status.node.machine_url })}`}</p>
        {status.reasons.length > 0 && (
          <ul class="reasons">
            {status.reasons.map((reason) => <Reason key={reason.code + reason.what} reason={reason} />)}
          </ul>
        )}
      </div>
    </header>
  );
}

function Reason({ reason }: { reason: StatusReason }) {
  const known = has(`status.reason.${reason.code}`);
  return (
    <li>
      <strong>{known ? t(`status.reason.${reason.code}`) : reason.what}</strong>
      {reason.since && <span class="quiet"> {t("status.since", { time: dateTime(parseUtc(reason.since), localZone()) })}</span>}
      {known && <span class="reason-what">{t(`status.what.${reason.code}`, factsOf(reason))}</span>}
      {known && reason.facts["detail"] && <Verbatim text={String(reason.facts["detail"])} />}
      <span class="todo">{t("status.todo", { what: known ? t(`status.todo.${reason.code}`) : reason.todo })}</span>
    </li>
  );
}

function factsOf(reason: StatusReason): StatusReason["facts"] {
  const name = reason.facts["name"];
  return typeof name === "string" ? { ...reason.facts, name: siteOf(name) } : reason.facts;
}

// What a disk or a log reported, as it stands in the archive's own messages, for whoever looks there.
function Verbatim({ text }: { text: string }) {
  return <small class="block quiet">{t("status.detail")} <code lang="en">{text}</code></small>;
}

function Stations({ status }: { status: Status }) {
  const now = parseUtc(status.now);
  const live = status.stations.filter((s) => s.open_hearings > 0).length;
  return (
    <Panel title={t("status.stations")} note={t("status.stations-note", { n: status.stations.length, live })} wide>
      <table>
        <thead><tr><th scope="col">{t("filter.court")}</th><th scope="col">{t("filter.room")}</th><th scope="col">{t("status.station")}</th>
          <th scope="col">{t("status.state")}</th><th scope="col">{t("status.last-receipt")}</th></tr></thead>
        <tbody>
          {status.stations.map((station) => (
            <tr key={station.name}>
              <td>{nameOf(station.court_names, station.court)}</td>
              <td>{nameOf(station.room_names, station.room)}</td>
              <td><code>{station.name}</code></td>
              <td>{station.open_hearings > 0
                ? <span class="state live"><Icon name="dot" />{t("status.recording", { n: station.open_hearings })}</span>
                : <span class={station.state === "enrolled" ? "quiet" : "attention-text"}>{t(`status.station.${station.state}`)}</span>}</td>
              <td><Ago utc={station.last_receipt} now={now} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {status.stations.length === 0 && <p class="quiet">{t("status.no-stations")}</p>}
    </Panel>
  );
}

function Volumes({ status }: { status: Status }) {
  return (
    <Panel title={t("status.volumes")} note={t("status.volumes-note", { n: status.volumes.length })} wide>
      <table>
        <thead><tr><th scope="col">{t("status.volume")}</th><th scope="col">{t("status.domain")}</th><th scope="col">{t("status.state")}</th>
          <th scope="col">{t("status.used")}</th></tr></thead>
        <tbody>
          {status.volumes.map((volume) => {
            const well = ["active", "draining", "retired"].includes(volume.state);
            return (
              <tr key={volume.id}>
                <td><code>{volume.path}</code></td>
                <td>{volume.domain}</td>
                <td class={well ? "" : "attention-text"}>{!well && <Icon name="warn" />}
                  {has(`status.volume.${volume.state}`) ? t(`status.volume.${volume.state}`) : volume.state}
                  {volume.since && <small class="block">{t("status.since", { time: dateTime(parseUtc(volume.since), localZone()) })}</small>}</td>
                <td><Bar used={volume.used_bytes} total={volume.total_bytes} label={t("status.used-of", { used: bytes(volume.used_bytes), total: bytes(volume.total_bytes) })} /></td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Panel>
  );
}

function LogPanel({ status }: { status: Status }) {
  const { log } = status;
  const now = parseUtc(status.now);
  return (
    <Panel title={t("status.log")}>
      <dl>
        <div><dt>{t("status.log-entries")}</dt><dd class="num">{number(log.size)}</dd></div>
        <div><dt>{t("status.log-root")}</dt><dd><Digest value={log.root} /></dd></div>
        {log.utc && <div><dt>{t("status.log-signed")}</dt><dd><Ago utc={log.utc} now={now} /></dd></div>}
        {log.cosigners.map((c) => (
          <div key={c.name}><dt>{t("status.cosigned-by", { name: siteOf(c.name) })}</dt>
            <dd>{c.size !== undefined && <>{t("status.cosigned-size", { n: c.size })} · </>}<Ago utc={c.utc} now={now} /></dd></div>
        ))}
        {log.witnesses.map((w) => (
          <div key={w.name}><dt>{t("status.witnessed-by", { name: siteOf(w.name) })}</dt>
            <dd class={w.alarm ? "attention-text" : ""}>{w.alarm && <Icon name="warn" />}
              {t("status.cosigned-size", { n: w.size })} · <Ago utc={w.utc} now={now} /></dd></div>
        ))}
        {log.cosigners.length === 0 && log.witnesses.length === 0
          && <div><dt>{t("status.cosigners")}</dt><dd class="attention-text"><Icon name="warn" />{t("status.no-cosigner")}</dd></div>}
      </dl>
    </Panel>
  );
}

function SecondSites({ status }: { status: Status }) {
  const now = parseUtc(status.now);
  if (status.second_sites.length === 0) {
    return <Panel title={t("status.second-site")}><p class="attention-text"><Icon name="warn" />{t("status.no-second-site")}</p></Panel>;
  }
  return (
    <Panel title={t("status.second-site")}>
      {status.second_sites.map((site) => (
        <div key={site.name}>
          <p class={site.entries_behind > 0 ? "attention-text" : "good-text"}><Icon name={site.entries_behind > 0 ? "warn" : "check"} />
            {site.entries_behind > 0 ? t("status.entries-behind", { n: site.entries_behind }) : t("status.level", { name: siteOf(site.name) })}</p>
          <dl>
            <div><dt>{t("status.site")}</dt><dd>{siteOf(site.name)}</dd></div>
            <div><dt>{t("status.site-has")}</dt><dd class="num">{t("status.cosigned-size", { n: site.main_size })}</dd></div>
            <div><dt>{t("status.last-heard")}</dt><dd><Ago utc={site.last_utc} now={now} /></dd></div>
          </dl>
        </div>
      ))}
    </Panel>
  );
}

// At a replica: the archives whose copies it holds.
function Origins({ status }: { status: Status }) {
  return (
    <Panel title={t("status.origins")}>
      <dl>
        {status.origins.map((origin) => (
          <Fragment key={origin.name}>
            <div><dt>{siteOf(origin.name)}</dt>
              <dd class={origin.alarm ? "attention-text" : ""}>{origin.alarm && <Icon name="warn" />}
                {t("status.last-heard")}: <Ago utc={origin.heard} now={parseUtc(status.now)} />
                <LastDrill copy={status.drills.find((d) => d.archive === origin.name)} now={parseUtc(status.now)} /></dd></div>
            {origin.ahead && <Ahead name={origin.name} ahead={origin.ahead} now={parseUtc(status.now)} />}
          </Fragment>
        ))}
      </dl>
    </Panel>
  );
}

function Ahead({ name, ahead, now }: { name: string; ahead: KnownAhead; now: number }) {
  return (
    <div class="ahead"><dt>{t("status.ahead", { name: siteOf(name) })}</dt>
      <dd>{t("drill.hearings", { n: ahead.hearings })} · {t("status.cosigned-size", { n: ahead.entries + ahead.main_entries })} · {t("drill.objects", { n: ahead.objects })} · {bytes(ahead.bytes)}
        {!ahead.counted && ` ${t("status.ahead-more")}`}
        {ahead.oldest && <small class="block quiet">{t("status.ahead-oldest")}: <Ago utc={ahead.oldest} now={now} /></small>}</dd></div>
  );
}

function LastDrill({ copy, now }: { copy: HeldCopy | undefined; now: number }) {
  if (!copy) return null;
  const bad = copy.late || copy.failures > 0;
  return (
    <small class={`block ${bad ? "attention-text" : "quiet"}`}>{bad && <Icon name="warn" />}
      <a href="/?page=audit">{t("status.last-drill")}</a>: <Ago utc={copy.good} now={now} /></small>
  );
}

function Scrub({ status }: { status: Status }) {
  const scrub = status.scrub;
  if (!scrub) {
    return <Panel title={t("status.scrub")}><p class="quiet">{t("status.no-scrub")}</p><Lost status={status} />
      <dl><Rereading status={status} /><ReadBack status={status} /></dl></Panel>;
  }
  const bad = scrub.failures > 0;
  return (
    <Panel title={t("status.scrub")}>
      <p class={bad ? "attention-text" : "good-text"}><Icon name={bad ? "warn" : "check"} />
        {bad ? t("status.scrub-failures", { n: scrub.failures }) : t("status.scrub-clean")}</p>
      <Lost status={status} />
      <dl>
        <div><dt>{t("status.scrub-last")}</dt><dd><Ago utc={scrub.utc} now={parseUtc(status.now)} /></dd></div>
        <div><dt>{t("status.objects")}</dt><dd class="num">{number(scrub.objects)} · {bytes(scrub.bytes)}</dd></div>
        <Rereading status={status} />
        <ReadBack status={status} />
      </dl>
    </Panel>
  );
}

function Lost({ status }: { status: Status }) {
  const { lost } = status.scrubbing;
  return lost === 0 ? null : <p class="attention-text"><Icon name="warn" />{t("status.scrub-lost", { n: lost })}</p>;
}

// How far each volume is; a storage service reads its disks itself.
function Rereading({ status }: { status: Status }) {
  if (status.scrubbing.by_service) return null;
  return (
    <>
      {status.scrubbing.volumes.filter((volume) => volume.there).map((volume) => (
        <div key={volume.volume}><dt><code>{volume.path}</code></dt>
          <dd class={volume.late ? "attention-text" : ""}>{volume.late && <Icon name="warn" />}
            {t("status.scrub-share", { percent: number(volume.percent) })}
            {volume.ends && <small class="block">{t("status.scrub-ends", { time: dateTime(parseUtc(volume.ends), localZone()) })}</small>}</dd></div>
      ))}
    </>
  );
}

function ReadBack({ status }: { status: Status }) {
  const { lagging, oldest_age_ms: oldest, held_back: held } = status.read_back;
  return (
    <div><dt>{t("status.read-back")}</dt>
      <dd class={held > 0 ? "attention-text" : ""}>{held > 0 && <Icon name="warn" />}
        {lagging === 0 ? t("status.read-back-all") : t("status.read-back-lagging", { n: lagging, time: duration(oldest) })}</dd></div>
  );
}
