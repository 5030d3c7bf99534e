// Entries of the main log, newest first, verbatim; each with its proof on demand.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { has, number, t } from "../i18n";
import { Digest } from "../parts/copy";
import { Icon } from "../parts/icons";
import { Notice } from "../parts/notice";
import type { Query } from "../router";
import { dateTime, localZone, parseUtc } from "../time";
import { utf8 } from "../verify/bytes";
import { MainTree, type MainCheck } from "./main_log";

const kKinds = ["genesis", "key", "place", "hearing-checkpoint", "details", "mark", "access", "export", "scrub", "account", "lost", "drill", "promotion", "graft", "share"];
const kPage = 50;

interface Entry { index: number; entry: string }

export function EntryList({ main, query }: { main: MainCheck; query: Query }) {
  const [kind, setKind] = useState("");
  const [hearing, setHearing] = useState(query["hearing"] ?? "");
  const [entries, setEntries] = useState<Entry[]>([]);
  const [before, setBefore] = useState<number | undefined>();
  const [error, setError] = useState<unknown>();
  const tree = useRef<MainTree | undefined>(main.checkpoint ? new MainTree(main.logs) : undefined);

  const load = async (from?: number) => {
    try {
      const page = await api.mainEntries({ kind, hearing: hearing.trim(), before: from, limit: kPage });
      setEntries((old) => (from === undefined ? page.entries : [...old, ...page.entries]));
      setBefore(page.next_before);
      setError(undefined);
    } catch (e) {
      setError(e);
    }
  };
  useEffect(() => void load(), [kind]);
  return (
    <section class="entries" aria-label={t("audit.entries")}>
      <h2>{t("audit.entries")}</h2>
      <WholeLog tree={tree.current} />
      <form class="entry-filter" onSubmit={(e) => { e.preventDefault(); void load(); }}>
        <label>{t("audit.kind")}
          <select value={kind} onChange={(e) => setKind(e.currentTarget.value)}>
            <option value="">{t("filter.any")}</option>
            {kKinds.map((k) => <option key={k} value={k}>{t(`kind.${k}`)}</option>)}
          </select>
        </label>
        <label>{t("audit.hearing")}
          <input value={hearing} size={36} placeholder="0193…" onInput={(e) => setHearing(e.currentTarget.value)} />
        </label>
        <button>{t("audit.search")}</button>
      </form>
      {error !== undefined && <Notice error={error} what={t("audit.entries")} onRetry={() => void load()} />}
      <ol class="entry-list">
        {entries.map((entry) => <li key={entry.index}><EntryRow entry={entry} tree={tree.current} /></li>)}
      </ol>
      {entries.length === 0 && error === undefined && <p class="quiet">{t("audit.no-entries")}</p>}
      {before !== undefined && <p class="more"><button onClick={() => void load(before)}>{t("find.more")}</button></p>}
    </section>
  );
}

function EntryRow({ entry, tree }: { entry: Entry; tree: MainTree | undefined }) {
  const [proof, setProof] = useState<{ good: boolean; proof: string[] } | undefined>();
  const [error, setError] = useState<unknown>();
  const fields = readable(entry.entry);
  const kind = String(fields["kind"] ?? "?");
  const utc = typeof fields["utc"] === "string" ? fields["utc"] : undefined;
  return (
    <details>
      <summary>
        <span class="num entry-index">{number(entry.index)}</span>
        <span class="num">{utc ? dateTime(parseUtc(utc), localZone()) : ""}</span>
        <strong>{has(`kind.${kind}`) ? t(`kind.${kind}`) : t("kind.unknown", { kind })}</strong>
        <span class="quiet entry-what">{summary(fields)}</span>
        {proof && <span class={proof.good ? "good-text" : "bad-text"}><Icon name={proof.good ? "check" : "cross"} />
          {t(proof.good ? "audit.included" : "audit.not-included")}</span>}
      </summary>
      <pre tabIndex={0}>{entry.entry}</pre>
      {typeof fields["hearing"] === "string" && <p><a href={`/?hearing=${fields["hearing"]}`}>{t("audit.open-hearing")}</a></p>}
      {tree && kind === "graft" && <Graft entry={entry} tree={tree} />}
      {tree && entry.index < tree.first && <p class="quiet">{t("audit.earlier-part")}</p>}
      {!proof && tree && entry.index >= tree.first && (
        <button onClick={() => tree.prove(entry.index, entry.entry).then(setProof, setError)}>{t("audit.prove")}</button>
      )}
      {error !== undefined && <Notice error={error} what={t("audit.prove")} />}
      {proof && (
        <>
          <p class={proof.good ? "good-text" : "bad-text"}>{t(proof.good ? "audit.included-note" : "audit.not-included-note", { n: proof.proof.length })}</p>
          <ol class="hashes">{proof.proof.map((hash) => <li key={hash}><Digest value={hash} /></li>)}</ol>
        </>
      )}
    </details>
  );
}

// Of a log that is shown up to where the next one goes on from: what is behind that is this log's word.
function Graft({ entry, tree }: { entry: Entry; tree: MainTree }) {
  const back = entry.index >= tree.first ? tree.graftIn(utf8(entry.entry)) : undefined;
  if (back === undefined) return null;
  if (back === "bad") return <p class="bad-text"><Icon name="cross" />{t("audit.graft-bad")}</p>;
  return <p class="quiet">{t("audit.graft", { epoch: back.epoch, n: back.entries })}</p>;
}

function WholeLog({ tree }: { tree: MainTree | undefined }) {
  const [done, setDone] = useState<number | undefined>();
  const [result, setResult] = useState<{ good: boolean; badGrafts: number[] } | undefined>();
  const [error, setError] = useState<unknown>();
  if (!tree) return null;
  const run = async () => {
    setDone(0);
    try {
      setResult(await tree.readAll(setDone, new AbortController().signal));
    } catch (e) {
      setError(e);
    }
    setDone(undefined);
  };
  return (
    <div class="check-all">
      {result === undefined && done === undefined && <button onClick={() => void run()}>{t("audit.read-all", { n: tree.checkpoint.size })}</button>}
      {done !== undefined && <><progress max={tree.checkpoint.size} value={done} aria-label={t("proof.progress-label")} /><span class="num">{t("proof.progress", { done, total: tree.checkpoint.size })}</span></>}
      {result !== undefined && <p class={result.good ? "good-text" : "bad-text"}><Icon name={result.good ? "check" : "cross"} />{t(result.good ? "audit.all-good" : "audit.all-bad", { n: tree.checkpoint.size })}</p>}
      {result?.badGrafts.map((entry) => <p class="bad-text" key={entry}><Icon name="cross" />{t("audit.graft-bad-at", { entry })}</p>)}
      {error !== undefined && <Notice error={error} />}
    </div>
  );
}

function readable(entry: string): Record<string, unknown> {
  try {
    return JSON.parse(entry) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function summary(fields: Record<string, unknown>): string {
  const shown = ["name", "court", "room", "action", "finding", "volume", "purpose", "account", "hearing", "archive"];
  const said = (key: string) => (key === "purpose" && has(`purpose.${String(fields[key])}`) ? t(`purpose.${String(fields[key])}`) : fields[key]);
  return shown.map(said).filter((value) => typeof value === "string" && value !== "").join(" · ");
}
