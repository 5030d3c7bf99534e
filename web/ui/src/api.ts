// The browser listener's address list, and the one way the pages talk to it.
import type {
  ArchiveKeys, Details, DrillList, Hearing, HearingList, MainEntries, MainEpochs, Mark, Places, Proof, Session, ShareList, Status, Timeline,
} from "./types";
import { json, post, request } from "./http";
import type { Bytes } from "./verify/bytes";
import type { LogSource } from "./verify/chain";
import { tileIndexPath } from "./verify/entries";

async function bytes(path: string, signal?: AbortSignal, cache: RequestCache = "default"): Promise<Bytes> {
  const response = await request(path, { cache, ...(signal ? { signal } : {}) });
  return new Uint8Array(await response.arrayBuffer());
}

function query(params: Record<string, string | number | undefined>): string {
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") out.set(key, String(value));
  }
  const text = out.toString();
  return text ? `?${text}` : "";
}

// A tile or bundle by width; the full one stands in for a partial one that is no longer kept.
async function tile(base: string, kind: string, index: number, width: number): Promise<Bytes> {
  const full = `${base}/tile/${kind}/${tileIndexPath(index)}`;
  return bytes(width === 256 ? full : `${full}.p/${width}`, undefined, "no-store");
}

function logSource(base: string): LogSource {
  return {
    bundle: (index, width) => tile(base, "entries", index, width),
    tile: (index, width) => tile(base, "0", index, width),
  };
}

const hearingPath = (id: string) => `/v1/hearings/${encodeURIComponent(id)}`;

export const api = {
  session: () => json<Session>("/v1/session"),
  signIn: (account: string, password: string) => post<Session>("/v1/session", { account, password }),
  signOut: () => request("/v1/session", { method: "DELETE" }),
  places: () => json<Places>("/v1/places"),
  keys: (archive?: string) => json<ArchiveKeys>(`/v1/keys${query({ archive })}`),
  hearings: (params: Record<string, string | number | undefined>, signal?: AbortSignal) =>
    json<HearingList>(`/v1/hearings${query(params)}`, signal ? { signal } : {}),
  hearing: (id: string) => json<Hearing>(hearingPath(id)),
  timeline: (id: string) => json<Timeline>(`${hearingPath(id)}/timeline`),
  proof: (id: string) => json<Proof>(`${hearingPath(id)}/proof`),
  object: (id: string, sha256: string, ending: "mp4" | "json" | "bin", signal?: AbortSignal) =>
    bytes(`${hearingPath(id)}/objects/${sha256}.${ending}`, signal),
  addMark: (id: string, mark: { at: string; text: string; stream?: string }) => post<Mark>(`${hearingPath(id)}/marks`, mark),
  correct: (id: string, details: Details, reason: string) =>
    post<Hearing>(`${hearingPath(id)}/details`, { details, reason }),
  shares: (id: string) => json<ShareList>(`${hearingPath(id)}/shares`),
  share: (id: string, share: { court: string; reason: string; until?: string }) => post<ShareList>(`${hearingPath(id)}/shares`, share),
  endShare: (id: string, court: string, reason: string) => post<ShareList>(`${hearingPath(id)}/shares/revoke`, { court, reason }),
  playTicket: (id: string) => post<{ ticket: string; master: string; expires: string }>(`${hearingPath(id)}/play`, {}),
  status: () => json<Status>("/v1/status"),
  mainEpochs: () => json<MainEpochs>("/v1/log/main/epochs"),
  mainEntries: (params: Record<string, string | number | undefined>) =>
    json<MainEntries>(`/v1/log/main/entries${query(params)}`),
  drills: (params: Record<string, string | number | undefined>) => json<DrillList>(`/v1/drills${query(params)}`),
  mainLog: () => logSource("/v1/log/main"),
  hearingLog: (id: string) => logSource(`/v1/log/hearing/${encodeURIComponent(id)}`),
};
