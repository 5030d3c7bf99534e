// The one sentence beside the title: was it altered? Green only for what was really checked in this page.
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icons";
import { useWatch } from "../parts/watch";
import { dateTime, duration, parseUtc } from "../time";
import { lastMoment } from "../verify/compare";
import { text } from "../verify/entries";
import { siteOf } from "./names";
import { problemText } from "./problems";
import { ProofPanel } from "./proof";
import type { Room } from "./room";

const kQuietMs = 10 * 60_000;

export interface Judgement { colour: "good" | "bad" | "attention" | "neutral"; sign: string; text: string; more: string }

export function judge(room: Room): Judgement {
  const problems = room.problems;
  const unable = problems.find((p) => p.code === "no-ed25519");
  if (unable) return { colour: "attention", sign: "warn", text: t("badge.unable"), more: problemText(unable, room.hearing) };
  if (problems.length > 0) {
    const more = problems.length > 1 ? ` ${t("badge.more-problems", { n: problems.length - 1 })}` : "";
    return { colour: "bad", sign: "cross", text: t("badge.altered"), more: problemText(problems[0]!, room.hearing) + more };
  }
  if (room.verifyError) return { colour: "attention", sign: "warn", text: t("badge.not-checked"), more: t("badge.no-proof") };
  if (!room.verdict) return { colour: "neutral", sign: "dot", text: t("badge.checking"), more: "" };
  const checked = duration(Math.floor(room.ledger.checkedMs / 1000) * 1000);
  const total = duration(room.ledger.totalMs);
  const pending = room.verdict.chain.links.some((l) => l.state === "pending" && l.code !== "cosigned");
  const copy = moreText(room);
  if (pending) return { colour: "attention", sign: "warn", text: t("badge.pending", { checked, total }), more: copy };
  const unfinished = unfinishedSince(room);
  if (unfinished !== undefined) {
    const more = t("badge.unfinished-since", { at: dateTime(unfinished, room.hearing.zone) });
    return { colour: "attention", sign: "warn", text: t("badge.unfinished", { checked, total }), more };
  }
  if (room.ledger.checkedMs === 0) return { colour: "neutral", sign: "check", text: t("badge.signatures", { total }), more: copy };
  const all = room.ledger.count("unchecked") === 0;
  return { colour: "good", sign: "check", text: t(all ? "badge.good-all" : "badge.good", { checked, total }), more: copy };
}

// A hearing that has no end although nothing came for a while: an archive that shows an old state looks like this too.
function unfinishedSince(room: Room): number | undefined {
  const { entries } = room.verdict!.chain;
  const end = entries[entries.length - 1];
  if (!end || text(end, "kind") === "close") return undefined;
  const last = lastMoment(entries);
  return last !== undefined && Date.now() - last > kQuietMs ? last : undefined;
}

// What is not here any more takes nothing from the rest, but whoever looks must know.
function moreText(room: Room): string {
  const lost = room.ledger.count("lost");
  return lost > 0 ? `${t("badge.lost", { n: lost })} ${copyText(room)}` : copyText(room);
}

// Only what a checked signature says, never the archive's word alone.
function copyText(room: Room): string {
  const copy = room.hearing.second_copy;
  const signed = room.verdict?.chain.cosigners[0];
  if (signed) {
    const since = copy ? parseUtc(copy.since) : signed.time;
    return t("badge.second-copy", { site: siteOf(copy?.site ?? signed.name), since: dateTime(since, room.hearing.zone) });
  }
  if (room.verdict?.chain.receipt) return t("badge.no-second-copy");
  return t("badge.only-room");
}

export function Badge({ room }: { room: Room }) {
  const [open, setOpen] = useState(false);
  useWatch(room, () => JSON.stringify(judge(room)));
  const now = judge(room);
  return (
    <>
      <button class={`badge ${now.colour}`} data-badge={now.colour} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Icon name={now.sign} />
        <span><strong>{now.text}</strong>{now.more && <small>{now.more}</small>}</span>
      </button>
      {/* Said aloud only when the colour changes: the count itself rises every few seconds. */}
      <span class="hidden" role="status">{now.colour === "bad" ? `${now.text} ${now.more}` : t(`badge.say.${now.colour}`)}</span>
      {open && <Dialog title={t("proof.title")} wide onClose={() => setOpen(false)}><ProofPanel room={room} /></Dialog>}
    </>
  );
}
