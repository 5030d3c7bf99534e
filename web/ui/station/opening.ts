// A hearing that can be opened: a row of today's list, or what was typed.
import { json } from "../src/http";
import type { Details } from "../src/types";

export interface DocketRow { line: number; details: string }
export interface DocketProblem { line: number; column: string; what: string }
export interface Docket { rows: DocketRow[]; problems: DocketProblem[] }

export const docket = () => json<Docket>("/station/docket");

// The parts of a details document that the list shows; whatever else it holds is opened with it.
export function detailsOf(row: DocketRow): Details {
  const read = JSON.parse(row.details) as Partial<Details>;
  return { cases: [], parties: [], judges: [], clerk: "", title: "", public: true, ...read };
}

export interface Typed { cases: string; parties: string; title: string; judges: string; isPublic: boolean }

const lines = (text: string) => text.split(/[\n;；]/).map((line) => line.trim()).filter((line) => line !== "");

// "Anne Morel (plaintiff)": a name and, in brackets, a role.
function partyOf(line: string): { name: string; role: string } {
  const match = /^(.*?)\s*[(（]([^()（）]*)[)）]$/.exec(line);
  return match?.[1] ? { name: match[1], role: match[2]!.trim() } : { name: line, role: "" };
}

export function documentOf(typed: Typed, language: string): string {
  const parties = lines(typed.parties).map((line) => ({ ...partyOf(line), spellings: [] }));
  return JSON.stringify({
    cases: lines(typed.cases), parties, title: typed.title.trim(), judges: lines(typed.judges), public: typed.isPublic, language,
  });
}
