// The proof behind the badge: the chain from these bytes to the signatures, link by link, in words.
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../parts/icons";
import { useWatch } from "../parts/watch";
import { dateTime, duration, parseUtc } from "../time";
import type { Chain, Link } from "../verify/chain";
import { text } from "../verify/entries";
import { fingerprint, parseVkey } from "../verify/note";
import { repinKeys } from "../verify/pins";
import { problemText, words } from "./problems";
import type { Room } from "./room";

export function ProofPanel({ room }: { room: Room }) {
  useWatch(room, () => `${room.ledger.version} ${room.sweep?.done} ${room.sweep?.running} ${room.problems.length} ${!room.verdict}`);
  const problems = room.problems;
  const verdict = room.verdict;
  if (!verdict) return <p>{room.verifyError ? t("badge.no-proof") : t("badge.checking")}</p>;
  return (
    <div class="proof">
      {problems.length > 0 && (
        <section class="notice bad">
          <Icon name="cross" />
          <div>
            <strong>{t("proof.problems", { n: problems.length })}</strong>
            <ul>{problems.slice(0, 200).map((p, i) => <li key={i}>{problemText(p, room.hearing)}</li>)}</ul>
            <p>{t("proof.what-to-do")}</p>
          </div>
        </section>
      )}
      <ol class="chain">
        <ObjectsLink room={room} />
        {[...verdict.chain.links].reverse().map((link) => <ChainLink key={link.code} link={link} room={room} />)}
      </ol>
      <CorrectedInRoom entries={verdict.chain.entries} />
      <CheckAll room={room} />
      <Keys room={room} />
      <p><button onClick={() => download(room)}><Icon name="down" />{t("proof.download")}</button>{" "}
        <span class="quiet small">{t("proof.judge")}</span></p>
    </div>
  );
}

const kSigns = { good: "check", bad: "cross", pending: "dot" } as const;

function ChainLink({ link, room }: { link: Link; room: Room }) {
  return (
    <li class={link.state}>
      <Icon name={kSigns[link.state]} />
      <div>
        <strong>{t(`link.${link.code}.title`)}</strong> <span class="quiet">{t(`link.state.${link.state}`)}</span>
        <p>{t(link.state === "good" ? `link.${link.code}` : `link.${link.code}.${link.state}`, words(link.params, room.hearing))}</p>
      </div>
    </li>
  );
}

function ObjectsLink({ room }: { room: Room }) {
  const bad = room.ledger.count("bad");
  const good = room.ledger.count("good");
  const lost = room.ledger.count("lost");
  const state = bad > 0 ? "bad" : good > 0 ? "good" : "pending";
  return (
    <li class={state}>
      <Icon name={kSigns[state]} />
      <div>
        <strong>{t("link.objects.title")}</strong> <span class="quiet">{t(`link.state.${state}`)}</span>
        <p>{t("link.objects", {
          checked: duration(room.ledger.checkedMs), total: duration(room.ledger.totalMs), good, bad, rest: room.ledger.count("unchecked"),
        })}</p>
        {lost > 0 && <p>{t("proof.lost", { n: lost })}</p>}
      </div>
    </li>
  );
}

// Another case was opened first: whoever judges the recording should know, and where it stands.
function CorrectedInRoom({ entries }: { entries: Chain["entries"] }) {
  const found = entries.flatMap((entry, index) => (entry && text(entry, "kind") === "details" ? [index] : []));
  if (found.length === 0) return null;
  return <p class="corrected">{t("proof.corrected-in-room", { n: found.length, entries: found.join(t("list.comma")) })}</p>;
}

export function CheckAll({ room }: { room: Room }) {
  const sweep = room.sweep;
  const rest = room.ledger.count("unchecked");
  return (
    <section class="check-all">
      {sweep?.running ? (
        <>
          <progress max={sweep.total} value={sweep.done} aria-label={t("proof.progress-label")} />
          <span class="num">{t("proof.progress", { done: sweep.done, total: sweep.total })}</span>
          <button onClick={() => room.stopCheck()}>{t("proof.stop")}</button>
        </>
      ) : rest > 0 ? (
        <button class="main" onClick={() => void room.checkAll()}>{t("proof.check-all", { n: rest })}</button>
      ) : <p>{t("proof.all-checked")}</p>}
    </section>
  );
}

function Keys({ room }: { room: Room }) {
  const { pins, served, problems } = room.verdict!;
  const [asking, setAsking] = useState(false);
  const changed = problems.some((p) => p.code === "key-changed");
  const rows: [string, string][] = [
    [t("key.log"), pins.keys.log_vkey],
    [t("key.holder"), pins.keys.holder_vkey],
    ...pins.keys.cosigners.map((c): [string, string] => [t("key.cosigner-named", { name: c.name }), c.vkey]),
  ];
  return (
    <details class="keys" open={changed}>
      <summary>{t("key.title")}</summary>
      <p class="quiet">{t("key.intro", { since: dateTime(parseUtc(pins.since), room.hearing.zone) })}</p>
      <table>
        <tbody>{rows.map(([name, vkey]) => {
          const key = parseVkey(vkey);
          return <tr key={name}><th scope="row">{name}</th><td><code>{key ? fingerprint(key) : t("key.unreadable")}</code></td></tr>;
        })}</tbody>
      </table>
      {changed && !asking && <button onClick={() => setAsking(true)}>{t("key.trust-new")}</button>}
      {asking && (
        <div class="notice attention">
          <p>{t("key.trust-warning")}</p>
          <p><code>{[served.log_vkey, served.holder_vkey].map((v) => parseVkey(v)).map((k) => (k ? fingerprint(k) : "?")).join(" · ")}</code></p>
          <button onClick={() => { repinKeys(room.memory, served, new Date().toISOString()); location.reload(); }}>{t("key.trust-confirm")}</button>{" "}
          <button onClick={() => setAsking(false)}>{t("dialog.cancel")}</button>
        </div>
      )}
    </details>
  );
}

function download(room: Room): void {
  const verdict = room.verdict!;
  const content = {
    hearing: room.hearing.id, made: new Date().toISOString(), keys: verdict.pins.keys, keys_known_since: verdict.pins.since,
    proof: verdict.proof, problems: room.problems, links: verdict.chain.links,
    checked_ms: Math.round(room.ledger.checkedMs), total_ms: Math.round(room.ledger.totalMs),
    objects: [...verdict.objectOf].map(([index, sha256]) => ({ index, sha256, state: room.ledger.state(index) })),
  };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  link.download = `greffe-proof-${room.hearing.id}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
