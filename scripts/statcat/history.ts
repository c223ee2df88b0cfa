/**
 * What every interface has carried, in SQLite: per second for an hour, per minute for two days, per five
 * minutes for two months (the 95th percentile is counted from these), per hour for two years and per day
 * for ever, which is about 1.5 MB an interface. Bytes and packets are counted, not averaged, so totals stay
 * exact; with them stand the milliseconds that were measured, so a gap does not lower a rate.
 *
 * What arrives is gathered and written in one transaction every some seconds, together with the number of
 * the last sample of each spoke: whatever happens, a sample is in it once or not at all (then its spoke,
 * which was told nothing, sends it again).
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Sample } from "./sample.ts";
import { monthBounds, percentile95 } from "./periods.ts";

/** Kept steps: width and for how long, both in seconds. */
export const LEVELS = [
  { step: 1, keep: 3600 },
  { step: 60, keep: 2 * 86_400 },
  { step: 300, keep: 62 * 86_400 },
  { step: 3600, keep: 2 * 366 * 86_400 },
  { step: 86_400, keep: Infinity },
] as const;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS interface(
  id INTEGER PRIMARY KEY, spoke TEXT NOT NULL, name TEXT NOT NULL, UNIQUE(spoke, name)) STRICT;
CREATE TABLE IF NOT EXISTS traffic(
  step INTEGER, interface INTEGER, time INTEGER, ms INTEGER,
  rx_bytes INTEGER, tx_bytes INTEGER, rx_packets INTEGER, tx_packets INTEGER,
  PRIMARY KEY(step, interface, time)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS p95(
  interface INTEGER, month TEXT, rx_bytes INTEGER, tx_bytes INTEGER,
  PRIMARY KEY(interface, month)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session(
  spoke TEXT PRIMARY KEY, name TEXT NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;
const ADD = `INSERT INTO traffic VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
  ms = ms + excluded.ms, rx_bytes = rx_bytes + excluded.rx_bytes,
  tx_bytes = tx_bytes + excluded.tx_bytes, rx_packets = rx_packets + excluded.rx_packets,
  tx_packets = tx_packets + excluded.tx_packets`;

/** How many names of interfaces one spoke may ever use: it cannot make the file grow without end. */
const MAX_NAMES = 64;

/** A percentile takes some milliseconds; so many are counted each minute. */
const CLOSED_AT_ONCE = 5;

/** With so much unwritten (the disk is full, say), nothing more is taken; spokes keep theirs for a while. */
const MAX_WAITING = 200_000;

/** Milliseconds, bytes and packets, gathered for one interface and step. */
type Sums = [ms: number, rxB: number, txB: number, rxP: number, txP: number];

/** Where a spoke stands: its session, and the number of its last sample. */
interface Position {
  session: string;
  seq: number;
}

/** The history of all spokes. One process writes it; others may read it meanwhile. */
export class History implements Disposable {
  readonly db: DatabaseSync;
  #add: StatementSync;
  #interfaces = new Map<string, number>();
  #names = new Map<string, number>();
  #waiting = new Map<string, Sums>();
  #positions = new Map<string, Position>();
  #dirty = new Set<string>();

  constructor(path: string) {
    this.db = new DatabaseSync(path);
    // WAL: readers never wait, and a kill or a power cut leaves the last transaction whole.
    this.db.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;",
    );
    this.db.exec(SCHEMA);
    this.#add = this.db.prepare(ADD);
    for (const { id, spoke, name } of this.db.prepare("SELECT * FROM interface").iterate()) {
      this.#learn(String(spoke), String(name), Number(id));
    }
    for (const { spoke, name, seq } of this.db.prepare("SELECT * FROM session").iterate()) {
      this.#positions.set(String(spoke), { session: String(name), seq: Number(seq) });
    }
  }

  #learn(spoke: string, name: string, id: number): number {
    this.#interfaces.set(`${spoke} ${name}`, id);
    this.#names.set(spoke, (this.#names.get(spoke) ?? 0) + 1);
    return id;
  }

  /** True for a spoke that was ever heard. */
  knows(spoke: string): boolean {
    return this.#names.has(spoke);
  }

  /** The number of an interface; `undefined` where its spoke has used too many names. */
  #interface(spoke: string, name: string): number | undefined {
    const known = this.#interfaces.get(`${spoke} ${name}`);
    if (known !== undefined || (this.#names.get(spoke) ?? 0) >= MAX_NAMES) return known;
    const { lastInsertRowid } = this.db.prepare("INSERT INTO interface(spoke, name) VALUES(?, ?)")
      .run(spoke, name);
    return this.#learn(spoke, name, Number(lastInsertRowid));
  }

  /** Adds samples of a spoke; those that are here already are left out. Gives how many were new. */
  add(spoke: string, session: string, samples: Sample[]): number {
    if (this.#waiting.size > MAX_WAITING) return 0;
    let position = this.#positions.get(spoke), added = 0;
    if (position?.session !== session) position = { session, seq: 0 };
    for (const { seq, time, ms, rows } of samples) {
      if (seq <= position.seq) continue;
      position = { session, seq };
      added++;
      for (const [name, ...amounts] of rows) {
        const id = this.#interface(spoke, name);
        if (id !== undefined) this.#gather(id, time, [ms, ...amounts]);
      }
    }
    this.#positions.set(spoke, position);
    if (added) this.#dirty.add(spoke);
    return added;
  }

  #gather(id: number, time: number, amounts: Sums) {
    for (const { step } of LEVELS) {
      const key = `${step} ${id} ${time - time % step}`, sums = this.#waiting.get(key);
      if (!sums) this.#waiting.set(key, [...amounts]);
      else for (const i of sums.keys()) sums[i] += amounts[i];
    }
  }

  /** Writes what was gathered, all or nothing. Gives each spoke whose samples are safe now, with the last. */
  flush(): Map<string, Position> {
    const safe = new Map([...this.#dirty].map((spoke) => [spoke, this.#positions.get(spoke)!]));
    if (safe.size === 0) return safe;
    const position = this.db.prepare("INSERT OR REPLACE INTO session VALUES(?, ?, ?)");
    this.#transaction(() => {
      for (const [key, sums] of this.#waiting) {
        const [step, id, time] = key.split(" ").map(Number);
        this.#add.run(step, id, time, ...sums.map(Math.round));
      }
      for (const [spoke, { session, seq }] of safe) position.run(spoke, session, seq);
    });
    this.#waiting.clear();
    this.#dirty.clear();
    return safe;
  }

  #transaction(body: () => void) {
    this.db.exec("BEGIN IMMEDIATE");
    try {
      body();
      this.db.exec("COMMIT");
    } catch (error) {
      this.db.exec("ROLLBACK");
      throw error;
    }
  }

  /**
   * Removes what is older than its level is kept; before that, counts the 95th percentiles of past months.
   * To be called once a minute: then it is little each time, however many interfaces there are.
   */
  prune(now: number): void {
    const remove = this.db.prepare(
      "DELETE FROM traffic WHERE step = ? AND interface = ? AND time < ?",
    );
    this.#transaction(() => {
      this.#closeMonths(now);
      for (const { step, keep } of LEVELS) {
        if (keep === Infinity) continue;
        for (const id of this.#interfaces.values()) remove.run(step, id, now - keep);
      }
    });
  }

  /** Counts the percentiles of the last two months where that was not done yet, of some interfaces. */
  #closeMonths(now: number) {
    // Samples may be a quarter of an hour late: a month is counted once it has been over for an hour.
    const then = new Date((now - 3600) * 1000);
    const open = this.db.prepare(
      `SELECT id FROM interface i WHERE NOT EXISTS
         (SELECT 1 FROM p95 WHERE interface = i.id AND month = ?) AND EXISTS
         (SELECT 1 FROM traffic WHERE step = 300 AND interface = i.id AND time >= ? AND time < ?)
       LIMIT ${CLOSED_AT_ONCE}`,
    );
    const insert = this.db.prepare("INSERT INTO p95 VALUES(?, ?, ?, ?)");
    for (const back of [1, 2]) {
      const first = Date.UTC(then.getUTCFullYear(), then.getUTCMonth() - back);
      const month = new Date(first).toISOString().slice(0, 7), [from, to] = monthBounds(month);
      for (const { id } of open.all(month, from, to)) {
        const p95 = percentile95(this.db, Number(id), month)!;
        insert.run(id, month, p95.rxBytes, p95.txBytes);
      }
    }
  }

  [Symbol.dispose]() {
    this.flush();
    this.db.close();
  }
}
