// An archive that went on at another site, as the page sees it, and everybody who would like to be that site.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProvenEntry, ProvenEpoch } from "../../web/ui/src/types";
import { toHex, utf8, type Bytes } from "../../web/ui/src/verify/bytes";
import { canonical, parseCanonical, type JsonObject } from "../../web/ui/src/verify/entries";
import { followEpochs } from "../../web/ui/src/verify/epochs";
import { leafHash, proveInclusion, rootOf } from "../../web/ui/src/verify/merkle";
import { verifyHearing } from "../../web/ui/src/verify/verify";
import {
  archive, holder, kArchive, kHearing, kOrigin, log, memory, note, second, signer, sourceOf, station, type Served, type Signer,
} from "./sample_archive";

const officers = [await signer("officer-1", 1), await signer("officer-2", 1), await signer("officer-3", 1)];
const originOf = (epoch: number) => (epoch === 1 ? kArchive : `${kArchive}/epoch/${epoch}`);

interface Epoch { entries: Bytes[]; log: Signer; holder: Signer }

const line = (entry: JsonObject) => utf8(canonical(entry));
const officerEntry = (one: Signer, action = "added") =>
  line({ kind: "key", v: 1, action, role: "officer", name: one.name, key: toHex(one.pub) });

async function nextEpoch(epoch: number): Promise<Epoch> {
  return { entries: [], log: await signer(originOf(epoch), 1), holder: await signer(`${originOf(epoch)}/holder`, 4) };
}

// What begins `next` behind all that `before` has; `change` falsifies it before it is signed, `by` are its signers.
async function certificate(epoch: number, before: Epoch, next: Epoch, by: Signer[], change: (entry: JsonObject) => void = () => undefined, signers = by) {
  const root = toHex(rootOf(before.entries.map((e) => leafHash(e))));
  const entry: JsonObject = {
    kind: "promotion", v: 1, archive: kArchive, epoch, holder: next.holder.vkey, log_key: toHex(next.log.pub), machine_key: "12".repeat(32),
    machine_url: "https://second.test.example:8444", officers: by.map((one) => one.name), utc: "2026-11-22T10:00:00.000Z",
    previous: { origin: originOf(epoch - 1), root, size: before.entries.length },
  };
  change(entry);
  const previous = entry["previous"] as { origin: string; root: string; size: number };
  const statement = ["greffe promotes v1", entry["archive"], entry["epoch"], previous.origin, previous.size, previous.root, next.log.vkey, entry["holder"],
    entry["machine_url"], entry["machine_key"]].map((one) => `${one}\n`).join("");
  entry["signatures"] = await Promise.all(signers.map((one) => one.sign(statement)));
  return line(entry);
}

async function proven(entries: Bytes[], index: number, epoch?: number): Promise<ProvenEntry> {
  const leaves = entries.map((e) => leafHash(e));
  const inclusion = (await proveInclusion(index, entries.length, async (a, b) => rootOf(leaves.slice(a, b)))).map(toHex);
  return { index, entry: new TextDecoder().decode(entries[index]), inclusion, ...(epoch === undefined ? {} : { epoch }) };
}

const isOfficer = (bytes: Bytes) => parseCanonical(bytes)?.["role"] === "officer";

interface Made { served: Served; epochs: Epoch[] }
type Falsify = (epochs: Epoch[]) => Promise<void>;

// The sample's hearing, filed in `filed` of so many epochs. `falsify` changes logs before they are signed.
async function promoted(filed = 2, count = 2, falsify: Falsify = async () => undefined, receiptBy?: (epochs: Epoch[]) => Signer): Promise<Made> {
  const served = await archive();
  const first: Epoch = { entries: served.main.slice(0, 2), log, holder };
  first.entries.push(officerEntry(officers[0]!), officerEntry(officers[1]!));
  const epochs = [first];
  for (let n = 2; n <= count; n++) epochs.push(await nextEpoch(n));
  served.proof.hearing_checkpoint = await note(kOrigin, served.entries, [station, (receiptBy ?? ((all) => all[filed - 1]!.holder))(epochs)]);
  for (const [i, epoch] of epochs.entries()) {
    if (i > 0) epoch.entries.push(await certificate(i + 1, epochs[i - 1]!, epoch, officers.slice(0, 2)));
    if (i + 1 === filed) {
      epoch.entries.push(line({ kind: "hearing-checkpoint", v: 1, hearing: kHearing, note: served.proof.hearing_checkpoint, closed: true, utc: "2026-11-22T10:03:00.000Z" }));
    }
    epoch.entries.push(line({ kind: "scrub", v: 1 }));
  }
  await falsify(epochs);
  return { served: await serve(served, epochs, filed), epochs };
}

async function serve(served: Served, epochs: Epoch[], filed: number): Promise<Served> {
  const { proof } = served;
  const newest = epochs.length;
  const of = async (epoch: number, index: number) => proven(epochs[epoch - 1]!.entries, index, epoch === newest ? undefined : epoch);
  const at = epochs[filed - 1]!.entries.findIndex((e) => parseCanonical(e)?.["kind"] === "hearing-checkpoint");
  proof.checkpoint_entry = await of(filed, at);
  proof.key_entry = await of(1, 1);
  proof.main_checkpoint = await note(originOf(newest), epochs[newest - 1]!.entries, [epochs[newest - 1]!.log, second]);
  proof.main_cosigned = [];
  proof.main_size = epochs[newest - 1]!.entries.length;
  proof.epochs = await Promise.all(epochs.map(async ({ entries, log: key }, i): Promise<ProvenEpoch> => ({
    epoch: i + 1,
    ...(i > 0 ? { promotion: await proven(entries, 0) } : {}),
    ...(i + 1 < newest ? {
      checkpoint: await note(originOf(i + 1), entries, [key]),
      officer_entries: await Promise.all(entries.map((e, index) => ({ e, index })).filter(({ e }) => isOfficer(e)).map(({ index }) => proven(entries, index))),
    } : {}),
  })));
  return served;
}

async function verdictOf(served: Served, store = memory()) {
  const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), store, "2026-11-23T00:00:00.000Z");
  return { chain: verdict.chain, codes: verdict.problems.map((p) => p.code), link: (code: string) => verdict.chain.links.find((l) => l.code === code) };
}

// The first epoch's officers and all behind the certificate of the second one, made anew by `by` with `change`.
function begunBy(by: Signer[], change?: (entry: JsonObject) => void, signers?: Signer[]): Falsify {
  return async ([first, next]) => { next!.entries[0] = await certificate(2, first!, next!, by, change, signers); };
}

async function refused(falsify: Falsify, spoil: (served: Served) => void | Promise<void> = () => undefined, epoch = 2, count = 2): Promise<void> {
  const { served } = await promoted(count, count, falsify);
  await spoil(served);
  const { codes, link, chain } = await verdictOf(served);
  assert.ok(codes.includes("promotion"), `${codes}`);
  assert.equal(link("promoted")?.state, "bad");
  assert.equal(link("promoted")?.params["epoch"], epoch);
  assert.equal(link("filed")?.state, "bad", "what only that epoch has is not proven");
  assert.equal(chain.main, undefined);
}

test("what was filed before and after a promotion verifies from the key of before", async () => {
  for (const [filed, count] of [[1, 2], [2, 2], [1, 3], [2, 3], [3, 3]] as const) {
    const store = memory();
    assert.deepEqual((await verdictOf(await archive(), store)).codes, [], "the visit before the promotion");
    const { served, epochs } = await promoted(filed, count);
    const { chain, codes, link } = await verdictOf(served, store);
    assert.deepEqual(codes, [], `filed in ${filed} of ${count}`);
    assert.ok(chain.links.every(({ state }) => state === "good"), JSON.stringify(chain.links));
    assert.deepEqual([link("promoted")!.params["epoch"], link("promoted")!.params["officers"]], [count, "officer-1, officer-2"]);
    const sizes = epochs.map(({ entries }) => entries.length);
    assert.equal(chain.main!.size, sizes.reduce((a, b) => a + b));
    const before = sizes.slice(0, filed - 1).reduce((a, b) => a + b, 0);
    assert.equal(link("filed")!.params["entry"], before + served.proof.checkpoint_entry!.index);
    assert.equal(chain.cosigners[0]!.name, "second", "a signature of the newest epoch covers all before");
    assert.deepEqual((await verdictOf(served, store)).codes, [], "and again");
  }
});

test("officers of a later epoch begin the next one, those who left do not", async () => {
  const change = (by: Signer[]): Falsify => async ([, middle, last]) => {
    middle!.entries.push(officerEntry(officers[0]!, "revoked"), officerEntry(officers[2]!));
    last!.entries[0] = await certificate(3, middle!, last!, by);
  };
  assert.deepEqual((await verdictOf((await promoted(3, 3, change([officers[1]!, officers[2]!]))).served)).codes, []);
  await refused(change([officers[0]!, officers[1]!]), undefined, 3, 3);
});

test("an epoch that two officers did not begin", async () => {
  const [one, two, three] = officers as [Signer, Signer, Signer];
  let enrolled: ProvenEntry | undefined;
  await refused(begunBy([one]));
  await refused(begunBy([one, three]));
  await refused(begunBy([one, two], undefined, [one, three]));
  await refused(begunBy([one, two], undefined, [two, one]));
  await refused(begunBy([]));
  await refused(async (epochs) => {
    epochs[0]!.entries.push(officerEntry(two, "revoked"));
    await begunBy([one, two])(epochs);
  });
  await refused(async (epochs) => {  // one person under two names
    epochs[0]!.entries.push(officerEntry({ ...one, name: "officer-4" }));
    await begunBy([one, { ...one, name: "officer-4" }])(epochs);
  });
  await refused(async (epochs) => {  // a station that has an officer's name
    epochs[0]!.entries.push(line({ ...parseCanonical(officerEntry(three))!, role: "station" }));
    await begunBy([one, three])(epochs);
    enrolled = await proven(epochs[0]!.entries, epochs[0]!.entries.length - 1);
  }, ({ proof }) => { proof.epochs![0]!.officer_entries!.push(enrolled!); });
  await refused(async (epochs) => {  // named by the epoch that they began themselves
    await begunBy([two, three])(epochs);
    epochs[1]!.entries.push(officerEntry(three));
  });
  await refused(async ([, next]) => {  // another address than the officers signed
    next!.entries[0] = line({ ...parseCanonical(next!.entries[0]!)!, machine_url: "https://thief.test.example:8444" });
  });
});

test("an epoch that goes on from something else, or is another one", async () => {
  const by = officers.slice(0, 2);
  const previous = (entry: JsonObject) => entry["previous"] as JsonObject;
  await refused(begunBy(by, (entry) => { previous(entry)["root"] = "ab".repeat(32); }));
  await refused(begunBy(by, (entry) => { previous(entry)["size"] = 3; }));
  await refused(begunBy(by, (entry) => { previous(entry)["origin"] = "other.test.example"; }));
  await refused(begunBy(by, (entry) => { entry["archive"] = "other.test.example"; }));
  await refused(begunBy(by, (entry) => { entry["epoch"] = 3; }));
  await refused(begunBy(by, (entry) => { entry["v"] = 2; }));
  await refused(begunBy(by, (entry) => { entry["holder"] = log.vkey; }));
  await refused(async ([, next]) => { next!.log = await signer(originOf(2), 1); });  // signed by another key than the officers named
  await refused(async ([, next]) => { next!.entries[0] = line({ kind: "scrub", v: 1 }); });
  await refused(async ([, next]) => { next!.entries.reverse(); });
  // What the officers signed is right, and the entry says something else beside it.
  for (const beside of [{ archive: "other.test.example" }, { epoch: 3 }, { kind: "scrub" }]) {
    await refused(async ([, next]) => { next!.entries[0] = line({ ...parseCanonical(next!.entries[0]!)!, ...beside }); });
  }
  let late: ProvenEntry | undefined;
  await refused(async ([, next]) => {
    next!.entries.unshift(line({ kind: "scrub", v: 1 }));
    late = await proven(next!.entries, 1);
  }, ({ proof }) => { proof.epochs![1]!.promotion = late!; });
});

test("proofs of epochs that do not hold together", async () => {
  const good: Falsify = async () => undefined;
  await refused(good, ({ proof }) => { proof.epochs![0]!.officer_entries!.pop(); });
  await refused(good, ({ proof }) => { proof.epochs![0]!.officer_entries![0]!.index = 3; });
  await refused(good, ({ proof }) => { proof.epochs![0]!.officer_entries![0] = proof.key_entry!; });
  await refused(good, ({ proof }) => { delete proof.epochs![1]!.promotion; });
  await refused(good, ({ proof }) => { proof.epochs![1]!.promotion!.index = 1; });
  await refused(good, ({ proof }) => { proof.epochs![1]!.promotion = { ...proof.checkpoint_entry! }; });
  await refused(good, ({ proof }) => { proof.epochs![1]!.epoch = 3; });
  await refused(good, ({ proof }) => { proof.epochs!.splice(1, 1); proof.checkpoint_entry!.epoch = 3; }, 2, 3);
  const { served } = await promoted();
  served.proof.epochs![0]!.checkpoint = await note(kArchive, served.main, [await signer(kArchive, 1)]);
  assert.ok((await verdictOf(served)).codes.includes("main-signature"), "the first epoch is of another key");
  const whole = (await promoted()).served;
  delete whole.proof.epochs;
  assert.ok((await verdictOf(whole)).codes.includes("main-signature"), "without the way to its key it is a stranger's");
  const misplaced = (await promoted()).served;
  misplaced.proof.checkpoint_entry!.epoch = 1;
  assert.deepEqual((await verdictOf(misplaced)).codes, ["not-in-main"]);
});

test("what an earlier epoch proves stands, although a later one is false", async () => {
  const { served } = await promoted(1, 2, begunBy(officers.slice(0, 1)));
  const { codes, link } = await verdictOf(served);
  assert.deepEqual(codes, ["promotion"]);
  assert.deepEqual([link("filed")!.state, link("station-signed")!.state, link("receipt")!.state], ["good", "good", "good"]);
});

test("the receipt is given by whoever was the archive when the hearing was filed, or later", async () => {
  const state = async (filed: number, by: (epochs: Epoch[]) => Signer) => {
    const { chain, codes, link } = await verdictOf((await promoted(filed, 3, undefined, by)).served);
    assert.deepEqual(codes, []);
    assert.equal(chain.receipt !== undefined, link("receipt")!.state === "good");
    return link("receipt")!.state;
  };
  assert.equal(await state(2, (epochs) => epochs[0]!.holder), "pending");
  assert.equal(await state(3, (epochs) => epochs[1]!.holder), "pending");
  assert.equal(await state(1, (epochs) => epochs[2]!.holder), "good");
  assert.equal(await state(2, () => second), "pending");
});

test("marks and corrections are told by their number through all epochs", async () => {
  const at = "2026-11-22T09:00:05.000Z";
  const mark = { kind: "mark", v: 1, hearing: kHearing, at, account: "u-1", utc: at };
  const { served, epochs } = await promoted(2, 2, async ([first, next]) => {
    first!.entries.push(line(mark));
    next!.entries[0] = await certificate(2, first!, next!, officers.slice(0, 2));
    next!.entries.push(line(mark));
  });
  const [before, after] = epochs.map(({ entries }) => entries.length) as [number, number];
  served.proof.mark_entries = [await proven(epochs[0]!.entries, before - 1, 1), await proven(epochs[1]!.entries, after - 1)];
  served.timeline.marks = [before - 1, before + after - 1].map((index) => ({ id: `archive-${index}`, index, at, text: "", account_name: "", origin: "archive" as const }));
  const { chain, codes } = await verdictOf(served);
  assert.deepEqual(codes, []);
  assert.deepEqual([...chain.marks.keys()], [before - 1, before + after - 1]);
  served.timeline.marks[1]!.index = after - 1;
  assert.deepEqual((await verdictOf(served)).codes, ["mark-invented", "mark-hidden"]);
});

test("nobody goes back to the epoch before, and what was lost with it is no rewritten history", async () => {
  const store = memory();
  const { served, epochs } = await promoted(1, 2);
  const old = await archive();
  Object.assign(old.proof, { main_checkpoint: await note(kArchive, [...epochs[0]!.entries, line({ kind: "scrub", v: 1 })], [log]), main_cosigned: [] });
  await verdictOf(old, store);  // it had seen more of the first epoch than there is now
  assert.deepEqual((await verdictOf(served, store)).codes, []);
  assert.deepEqual((await verdictOf(await archive(), store)).codes, ["epoch-went-back"]);
  assert.deepEqual((await verdictOf(served, store)).codes, [], "and that was not remembered");
});

test("cosigners of the newest epoch, and a hearing that saw what was lost", async () => {
  const { served, epochs } = await promoted(2);
  const cosigned = async (size: number) => note(originOf(2), epochs[1]!.entries.slice(0, size), [epochs[1]!.log, second]);
  served.proof.main_checkpoint = await note(originOf(2), epochs[1]!.entries, [epochs[1]!.log]);
  const filed = served.proof.checkpoint_entry!.index;
  for (const [size, names] of [[filed, []], [filed + 1, ["second"]]] as const) {
    served.proof.main_cosigned = [await cosigned(size)];
    const { chain, codes } = await verdictOf(served);
    assert.deepEqual([codes, chain.cosigners.map(({ name }) => name)], [[], names]);
  }
  served.proof.main_cosigned = [await note(originOf(2), epochs[1]!.entries, [log, second])];
  assert.deepEqual((await verdictOf(served)).codes, ["main-signature"]);
  const sighted = await archive();
  sighted.entries[0] = line({ ...parseCanonical(sighted.entries[0]!)!, main_size: 99 });
  sighted.leaves = sighted.entries.map((e) => leafHash(e));
  const made = await promoted(2, 2, async ([, next]) => {
    const checkpoint = await note(kOrigin, sighted.entries, [station, next!.holder]);
    next!.entries[1] = line({ ...parseCanonical(next!.entries[1]!)!, note: checkpoint });
  });
  Object.assign(made.served, { entries: sighted.entries, leaves: sighted.leaves });
  made.served.proof.hearing_checkpoint = await note(kOrigin, sighted.entries, [station, made.epochs[1]!.holder]);
  assert.deepEqual((await verdictOf(made.served)).codes, []);
});

test("an archive that was never promoted has one epoch, with or without an empty list of them", async () => {
  const { keys, proof } = await archive();
  for (const served of [undefined, [], [{ epoch: 1 }]]) {
    const { logs, broken } = await followEpochs(keys, proof.main_checkpoint, served);
    assert.deepEqual([logs.length, logs[0]!.first, broken], [1, 0, undefined]);
  }
  assert.deepEqual(await followEpochs(keys, proof.main_checkpoint, [{ epoch: 2 }]), { logs: [] });
});
