// "Is this hearing unaltered?", asked by the page and answered from bytes: pins, chain, comparison, in that order.
// No page code in here; archive and memory are parameters, so that tests can play an archive that lies.
import type { ArchiveKeys, Proof, Timeline } from "../types";
import { toHex, type Bytes } from "./bytes";
import { verifyChain, type Chain, type LogSource, type Problem } from "./chain";
import { compareTimeline, lastMoment } from "./compare";
import { compareExplanations } from "./compare_explanations";
import { compareMarks } from "./compare_marks";
import { checkHearingGrowth, checkMainGrowth, pinKeys, seenHearing, type Memory, type Pins } from "./pins";
import { digest } from "./sha256";

export interface VerifySource {
  keys(): Promise<ArchiveKeys>;
  proof(hearing: string): Promise<Proof>;
  timeline(hearing: string): Promise<Timeline>;
  log(hearing: string): LogSource;
}

export interface Verdict {
  chain: Chain;
  pins: Pins;
  served: ArchiveKeys;
  problems: Problem[];
  proof: Proof;
  timeline: Timeline; // the one that was compared: it may be younger than the one given
  objectOf: Map<number, string>; // entry index -> signed SHA-256 of its object
  peakDigests: Set<string>;
  provenMarks: Set<string>;
}

export async function verifyHearing(
  hearing: string, timeline: Timeline, source: VerifySource, memory: Memory, now: string,
): Promise<Verdict> {
  const served = await source.keys();
  const { pins, problems } = pinKeys(memory, served, now);
  const proof = await source.proof(hearing);
  const before = seenHearing(memory, hearing);
  const chain = await verifyChain({
    hearing, keys: pins.keys, proof, log: source.log(hearing), ...(before ? { prefixSize: before.size } : {}),
  });
  // The timeline given may be older than the checkpoint; one asked for now must tell everything that is signed.
  if (chain.size > timeline.log_size) timeline = await source.timeline(hearing);
  const place = new Places(timeline, chain);
  problems.push(...chain.problems.map((problem) => place.of(problem)));
  if (chain.main) problems.push(...checkMainGrowth(memory, chain.main));
  const whole = chain.entries.length > 0 && chain.entries.every((entry) => entry !== undefined);
  if (whole && chain.problems.length === 0) {
    const seen = { origin: `${pins.keys.archive}/hearing/${hearing}`, size: chain.size, root: chain.root };
    problems.push(...checkHearingGrowth(memory, hearing, seen, chain.prefixRoot).map((problem) => place.of(problem)));
  }
  const compared = compareTimeline(chain.entries, timeline);
  const marks = compareMarks(chain, timeline);
  problems.push(...compared.problems, ...marks.problems, ...compareExplanations(chain, timeline));
  return {
    chain, pins, served, problems, proof, timeline, objectOf: compared.objectOf, peakDigests: compared.peakDigests,
    provenMarks: marks.proven,
  };
}

// Where on the hearing's clock a fault of the log lies. An entry that was changed cannot say itself what it was: the
// timeline knows which stretch stood there.
class Places {
  constructor(private readonly timeline: Timeline, private readonly chain: Chain) {}

  of(problem: Problem): Problem {
    if (problem.code === "tail-missing") return this.tail(problem);
    if (problem.code !== "entry-changed") return problem;
    for (const stream of this.timeline.streams) {
      const segment = stream.segments.find((s) => s.index === problem.index);
      if (segment) return { ...problem, code: "entry-changed-at", params: { ...problem.params, stream: stream.name, at: segment.utc } };
    }
    const gap = this.timeline.gaps.find((g) => g.index === problem.index);
    if (gap) return { ...problem, code: "entry-changed-gap", params: { ...problem.params, at: gap.from } };
    return problem;
  }

  private tail(problem: Problem): Problem {
    const last = lastMoment(this.chain.entries);
    return { ...problem, params: { ...problem.params, at: last === undefined ? this.timeline.end : new Date(last).toISOString() } };
  }
}

export interface ObjectCheck { good: boolean; expected: string; got: string }

export async function checkObject(bytes: Bytes, expected: string): Promise<ObjectCheck> {
  const got = toHex(await digest(bytes));
  return { good: got === expected, expected, got };
}
