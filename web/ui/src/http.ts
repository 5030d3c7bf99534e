// One request of a page to the server that it came from, and what went wrong with it.

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly retryAfterS = 0) {
    super(message);
  }
}

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-cache", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "");
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string; title?: string };
  const retry = Number(response.headers.get("Retry-After") ?? 0);
  throw new ApiError(response.status, problem.code ?? "", problem.detail ?? problem.title ?? "", retry || 0);
}

export async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return (await (await request(path, init)).json()) as T;
}

export function post<T>(path: string, body: unknown): Promise<T> {
  return json<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}
