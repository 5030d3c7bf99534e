// Addresses: "/" with a query, so that the server needs to know one page only. The fragment is a moment in a hearing.
import { useEffect, useState } from "preact/hooks";

export type Query = Record<string, string>;

export function currentQuery(): Query {
  return Object.fromEntries(new URLSearchParams(location.search));
}

export function href(query: Query, moment?: string): string {
  const params = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return `/${params ? `?${params}` : ""}${moment ? `#t=${moment}` : ""}`;
}

export function go(to: string, replace = false): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  dispatchEvent(new Event("greffe-address"));
}

export function moment(): string | undefined {
  return /^#t=(.+)$/.exec(decodeURIComponent(location.hash))?.[1];
}

export function useQuery(): Query {
  const [query, setQuery] = useState(currentQuery);
  useEffect(() => {
    const update = () => setQuery(currentQuery());
    addEventListener("popstate", update);
    addEventListener("greffe-address", update);
    return () => {
      removeEventListener("popstate", update);
      removeEventListener("greffe-address", update);
    };
  }, []);
  return query;
}

// Plain clicks on our own links change the page without loading it again.
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = (event.target as Element).closest?.("a");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.pathname !== "/") return;
  event.preventDefault();
  go(link.pathname + link.search + link.hash);
  scrollTo(0, 0);
}
