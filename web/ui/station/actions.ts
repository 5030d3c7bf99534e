// What the person who records asks for, what became of it, and who that person is.
import { useState } from "preact/hooks";
import { pageMemory } from "../src/parts/memory";
import type { Desk } from "./desk";

export interface Marked { at: string; text: string }
export interface Failure { verb: string; error: unknown }
export interface Finished { hearing: string; entries: number; cases: string[] }

export interface Actions {
  busy: boolean;
  failure: Failure | undefined; // stays until it is read
  forget(): void;
  marked: Marked[];             // by this page in this hearing, the newest first
  finished: Finished | undefined;
  person: string;
  setPerson(code: string): void;
  // True: it is done and durable.
  run(verb: string, body: object): Promise<boolean>;
  mark(text: string): Promise<boolean>;
}

const kItem = "greffe.person";
export const isPerson = (code: string): boolean => /^[a-z0-9-]{0,32}$/.test(code);

export function useActions(desk: Desk): Actions {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | undefined>();
  const [marked, setMarked] = useState<Marked[]>([]);
  const [finished, setFinished] = useState<Finished | undefined>();
  const [person, setPerson] = useState(pageMemory.getItem(kItem) ?? "");

  const attempt = async <T,>(verb: string, body: object): Promise<T | undefined> => {
    setBusy(true);
    setFailure(undefined);
    try {
      return await desk.ask<T>(verb, person && isPerson(person) ? { ...body, person } : body);
    } catch (error) {
      setFailure({ verb, error });
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return {
    busy, failure, marked, finished, person,
    forget: () => setFailure(undefined),
    setPerson: (code) => {
      setPerson(code);
      if (isPerson(code)) pageMemory.setItem(kItem, code);
    },
    run: async (verb, body) => {
      const cases = desk.state?.hearing?.cases ?? [];
      const answer = await attempt<{ hearing?: string; entries?: number }>(verb, body);
      if (answer && verb === "open") {
        setMarked([]);
        setFinished(undefined);
      }
      if (answer?.hearing && verb === "close") setFinished({ hearing: answer.hearing, entries: answer.entries ?? 0, cases });
      return answer !== undefined;
    },
    mark: async (text) => {
      const answer = await attempt<{ at: string }>("mark", { text });
      if (answer) setMarked((before) => [{ at: answer.at, text }, ...before].slice(0, 50));
      return answer !== undefined;
    },
  };
}
