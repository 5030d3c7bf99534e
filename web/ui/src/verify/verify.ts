// "Is this hearing unaltered?", asked by the page and answered from bytes: pins, chain, comparison, in that order.
// No page code in here; archive and memory are parameters, so that tests can play an archive that lies.
import type { ArchiveKeys, Proof, Timeline } from "../types";
import { toHex, type Bytes } from "./bytes";
import { verifyChain, type Chain, type LogSource, type Problem } from "./chain";
import { compareTimeline } from "./compare";
import { checkHearingGrowth, checkMainGrowth, pinKeys, seenHearing, type Memory, type Pins } from "./pins";
import { digest } from "./sha256";

export interface VerifySource {
  keys(): Promise<ArchiveKeys>;
  proof(hearing: string): Promise<Proof>;
  log(hearing: string): LogSource;
}

export interface Verdict {
  chain: Chain;
  pins: Pins;
  served: ArchiveKeys;
  problems: Problem[];
  proof: Proof;
  objectOf: Map<number, string>; // entry index -> signed SHA-256 of its object
  peakDigests: Set<string>;
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
  problems.push(...chain.problems.map((problem) => withPlace(problem, timeline)));
  if (chain.main) problems.push(...checkMainGrowth(memory, chain.main));
  const whole = chain.entries.length > 0 && chain.entries.every((entry) => entry !== undefined);
  if (whole && chain.problems.length === 0) {
    const seen = { origin: `${pins.keys.archive}/hearing/${hearing}`, size: chain.size, root: chain.root };
    problems.push(...checkHearingGrowth(memory, hearing, seen, chain.prefixRoot));
  }
  const compared = compareTimeline(chain.entries, timeline);
  problems.push(...compared.problems);
  return {
    chain, pins, served, problems, proof, objectOf: compared.objectOf, peakDigests: compared.peakDigests,
  };
}

// An entry that was changed cannot say itself what it was: the timeline knows which stretch stood there.
function withPlace(problem: Problem, timeline: Timeline): Problem {
  if (problem.code !== "entry-changed") return problem;
  for (const stream of timeline.streams) {
    const segment = stream.segments.find((s) => s.index === problem.index);
    if (segment) return { ...problem, code: "entry-changed-at", params: { ...problem.params, stream: stream.name, at: segment.utc } };
  }
  return problem;
}

export interface ObjectCheck { good: boolean; expected: string; got: string }

export async function checkObject(bytes: Bytes, expected: string): Promise<ObjectCheck> {
  const got = toHex(await digest(bytes));
  return { good: got === expected, expected, got };
}
