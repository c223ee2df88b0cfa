/**
 * A zone at Cloudflare as its published API v4 describes it (dns_records: list, batch), for tests: it
 * follows the rules that matter here, and can fail in each way that the real one does.
 */

export interface CloudflareRecord {
  id: string;
  name: string;
  type: string;
  content: string;
  ttl: number;
  comment: string | null;
  proxied?: boolean;
}

/** What may go wrong with a request; `late` does the work and loses the answer. */
export type Trouble =
  | "429"
  | "429 for long"
  | "429 for ever"
  | "500"
  | "garbage"
  | "unsuccessful"
  | "late"
  | "huge";

interface Data {
  priority: number;
  target: string;
  value: string;
}

interface Batch {
  deletes?: { id: string }[];
  patches?: (CloudflareRecord & { data?: Data })[];
  posts?: (Omit<CloudflareRecord, "id"> & { data?: Data })[];
}

const fail = (status: number, code: number, message: string) =>
  Response.json(
    { success: false, errors: [{ code, message }], messages: [], result: null },
    { status },
  );

/** The server; `handle` is its request handler. */
export class FakeCloudflare {
  records: CloudflareRecord[] = [];
  /** Requests so far, as `GET …` or `POST …`. */
  requests: string[] = [];
  /** Trouble for the requests to come, in order; `undefined` for none. */
  troubles: (Trouble | undefined)[] = [];
  pageSize = 100;
  private nextId = 1;

  constructor(readonly zone: string, readonly token: string) {}

  add(type: string, name: string, content: string, comment: string | null = null, ttl = 300) {
    const id = `rec${this.nextId++}`;
    this.records.push({ id, name, type, content, ttl, comment });
    return id;
  }

  /** `TYPE CONTENT` of a name's records, sorted. */
  show(name: string): string[] {
    return this.records.filter((r) => r.name === name).map((r) => `${r.type} ${r.content}`).sort();
  }

  handle = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    this.requests.push(`${request.method} ${url.pathname.replace(/^.*dns_records/, "")}`);
    const trouble = this.troubles.shift();
    const early = this.refuse(request, url, trouble);
    if (early) return early;
    if (request.method === "GET") return this.list(url);
    const answer = this.batch(await request.json());
    return trouble === "late" ? new Response("<html>504</html>", { status: 504 }) : answer;
  };

  private refuse(request: Request, url: URL, trouble?: Trouble): Response | undefined {
    if (trouble?.startsWith("429")) {
      if (trouble === "429 for ever") this.troubles.unshift(trouble);
      const wait = trouble === "429 for long" ? "600" : "1";
      return new Response('{"success":false,"errors":[{"code":971,"message":"Rate limited"}]}', {
        status: 429,
        headers: { "retry-after": wait },
      });
    }
    if (trouble === "500") return new Response("<html>oops</html>", { status: 500 });
    if (trouble === "garbage") return new Response("{not json");
    if (trouble === "huge") return new Response(new Uint8Array(9 << 20));
    if (trouble === "unsuccessful") return fail(200, 1000, "something else");
    if (request.headers.get("authorization") !== `Bearer ${this.token}`) {
      return fail(403, 10000, "Authentication error");
    }
    if (!url.pathname.startsWith(`/client/v4/zones/${this.zone}/dns_records`)) {
      return fail(404, 7003, "Could not route to the zone");
    }
  }

  private list(url: URL): Response {
    const name = url.searchParams.get("name.exact");
    const all = this.records.filter((r) => r.name === name);
    const page = Number(url.searchParams.get("page") ?? 1);
    const size = Math.min(this.pageSize, Number(url.searchParams.get("per_page") ?? 100));
    return Response.json({
      success: true,
      errors: [],
      messages: [],
      result: all.slice((page - 1) * size, page * size),
      result_info: {
        page,
        per_page: size,
        count: 0,
        total_count: all.length,
        total_pages: Math.ceil(all.length / size),
      },
    });
  }

  /** Deletes, patches, posts; all or nothing. */
  private batch({ deletes = [], patches = [], posts = [] }: Batch): Response {
    const records = structuredClone(this.records);
    const at = (id: string) => records.findIndex((r) => r.id === id);
    for (const { id } of deletes) {
      if (at(id) < 0) return fail(404, 81044, "Record does not exist.");
      records.splice(at(id), 1);
    }
    for (const { id, data, ...change } of patches) {
      if (at(id) < 0) return fail(404, 81044, "Record does not exist.");
      const content = data ? `${data.priority} ${data.target} ${data.value}` : change.content;
      Object.assign(records[at(id)], { ...change, content });
    }
    for (const { data, ...post } of posts) {
      const content = data ? `${data.priority} ${data.target} ${data.value}` : post.content;
      if (post.type === "HTTPS" ? !data : !content) return fail(400, 9005, "Content is invalid.");
      if (post.ttl !== 1 && (post.ttl < 60 || post.ttl > 86400)) {
        return fail(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1.");
      }
      const isSame = (r: CloudflareRecord) =>
        r.name === post.name && r.type === post.type && r.content === content;
      if (records.some(isSame)) return fail(400, 81058, "An identical record already exists.");
      records.push({ ...post, content, id: `rec${this.nextId++}` });
    }
    this.records = records;
    return Response.json({ success: true, errors: [], messages: [], result: {} });
  }
}
