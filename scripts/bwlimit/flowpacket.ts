/**
 * Reads packets of NetFlow v9 (RFC 3954) and IPFIX (RFC 7011). What comes is hostile input: a packet that
 * is not what it says is refused, and nothing grows without bounds. Pure but for the templates it keeps.
 */

/** What one record says of one flow. Bytes are scaled up by the sampling. */
export interface Flow {
  /** Addresses as 4 or 16 bytes. */
  source: Uint8Array;
  destination: Uint8Array;
  protocol: number;
  sourcePort: number;
  bytes: number;
}

/** Information elements (IANA's registry) that matter here. */
const IE = {
  octetDelta: 1,
  protocol: 4,
  sourcePort: 7,
  source4: 8,
  destination4: 12,
  source6: 27,
  destination6: 28,
  samplingInterval: 34,
  samplerRandomInterval: 50,
  octetTotal: 85,
  packetInterval: 305,
  packetSpace: 306,
} as const;

const WANTED = new Set<number>(Object.values(IE));

interface Field {
  id: number;
  /** 65535: of variable length (RFC 7011, 7). */
  length: number;
}

interface Template {
  fields: Field[];
  options: boolean;
  /** The least that a record takes. */
  least: number;
}

/** One exporter's stream: an observation domain of IPFIX, a source of NetFlow v9. */
interface Stream {
  templates: Map<number, Template>;
  /** What the next sequence number should be; `undefined` where that cannot be known. */
  next?: number;
  sampling: number;
}

/** More of them are an attack, or no exporter that we know. */
const BOUNDS = { streams: 256, templates: 512, fields: 512 };
const VARIABLE = 0xffff;
/** A number that is no further behind than this belongs to a packet that was overtaken. */
const LATE = 1000;

/** A packet, or a part of it, that is not what it says. */
class Malformed extends Error {}

/** The values of a record that matter; `undefined` where it has none. */
interface Values {
  numbers: Map<number, number>;
  source?: Uint8Array;
  destination?: Uint8Array;
}

export class Decoder {
  readonly counts = { packets: 0, flows: 0, bytes: 0, lost: 0, refused: 0, untold: 0 };
  private readonly streams = new Map<string, Stream>();

  /** `sampling`: one packet in so many is exported, where the exporter does not say it. */
  constructor(private readonly sampling = 1) {}

  /** The flows of a packet from an exporter. Never throws; what is refused is counted. */
  decode(packet: Uint8Array, exporter: string): Flow[] {
    this.counts.packets++;
    const flows: Flow[] = [];
    try {
      const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
      if (view.byteLength < 16) throw new Malformed();
      const version = view.getUint16(0);
      if (version === 10) this.ipfix(view, exporter, flows);
      else if (version === 9) this.netflow9(view, exporter, flows);
      else throw new Malformed();
    } catch (error) {
      if (!(error instanceof Malformed || error instanceof RangeError)) throw error;
      this.counts.refused++;
    }
    this.counts.flows += flows.length;
    for (const flow of flows) this.counts.bytes += flow.bytes;
    return flows;
  }

  private stream(key: string): Stream {
    let stream = this.streams.get(key);
    if (!stream) {
      if (this.streams.size >= BOUNDS.streams) throw new Malformed();
      stream = { templates: new Map(), sampling: this.sampling };
      this.streams.set(key, stream);
    }
    return stream;
  }

  /** Counts what was lost. `now` is this packet's number, `next` the one of the packet after it. */
  private sequence(stream: Stream, now: number, next: number | undefined) {
    if (stream.next !== undefined) {
      const gap = (now - stream.next) >>> 0;
      if (gap < 2 ** 31) this.counts.lost += gap;
      else if (2 ** 32 - gap < LATE) {
        // It comes late, and was held for lost.
        const records = next === undefined ? 0 : (next - now) >>> 0;
        this.counts.lost -= Math.min(this.counts.lost, records);
        return;
      }
      // Further behind, the exporter has begun anew.
    }
    stream.next = next;
  }

  private ipfix(view: DataView, exporter: string, flows: Flow[]) {
    const length = view.getUint16(2);
    if (length !== view.byteLength) throw new Malformed();
    const stream = this.stream(`10 ${exporter} ${view.getUint32(12)}`);
    const { records, untold } = this.sets(view, 16, 2, stream, flows);
    const now = view.getUint32(8);
    // Records that cannot be counted for want of their template leave the next number unknown.
    this.sequence(stream, now, untold ? undefined : (now + records) >>> 0);
  }

  private netflow9(view: DataView, exporter: string, flows: Flow[]) {
    if (view.byteLength < 20) throw new Malformed();
    const stream = this.stream(`9 ${exporter} ${view.getUint32(16)}`);
    const now = view.getUint32(12);
    this.sequence(stream, now, (now + 1) >>> 0);
    this.sets(view, 20, 0, stream, flows);
  }

  /** All sets from `at`. `templateSet`: 2 in IPFIX, 0 in NetFlow v9; templates of options are one more. */
  private sets(view: DataView, at: number, templateSet: number, stream: Stream, flows: Flow[]) {
    let records = 0, untold = false;
    while (at + 4 <= view.byteLength) {
      const id = view.getUint16(at), length = view.getUint16(at + 2);
      if (length < 4 || at + length > view.byteLength) throw new Malformed();
      const end = at + length;
      if (id === templateSet) this.templates(view, at + 4, end, stream);
      else if (id === templateSet + 1) {
        (templateSet === 2 ? this.options10 : this.options9).call(this, view, at + 4, end, stream);
      } else if (id >= 256) {
        const template = stream.templates.get(id);
        if (template) records += this.data(view, at + 4, end, template, stream, flows);
        else {
          untold = true;
          this.counts.untold++;
        }
      }
      at = end;
    }
    if (at !== view.byteLength) throw new Malformed();
    return { records, untold };
  }

  private templates(view: DataView, at: number, end: number, stream: Stream) {
    while (at + 4 <= end) {
      const id = view.getUint16(at), count = view.getUint16(at + 2);
      if (id === 0 && count === 0) return; // padding
      at = this.define(view, at + 4, end, stream, id, count, false);
    }
  }

  private options10(view: DataView, at: number, end: number, stream: Stream) {
    while (at + 4 <= end) {
      const id = view.getUint16(at), count = view.getUint16(at + 2);
      if (id === 0 && count === 0) return;
      // Field count, then scope field count; a withdrawal has no second one (RFC 7011, 8.1).
      at = this.define(view, at + (count === 0 ? 4 : 6), end, stream, id, count, true);
    }
  }

  private options9(view: DataView, at: number, end: number, stream: Stream) {
    while (at + 6 <= end) {
      const id = view.getUint16(at);
      if (id === 0) return;
      const lengths = view.getUint16(at + 2) + view.getUint16(at + 4);
      if (lengths % 4) throw new Malformed();
      at = this.define(view, at + 6, end, stream, id, lengths / 4, true);
    }
  }

  /** Keeps a template whose fields begin at `at`; gives where they end. */
  private define(
    view: DataView,
    at: number,
    end: number,
    stream: Stream,
    id: number,
    count: number,
    options: boolean,
  ): number {
    if (count === 0) {
      // A withdrawal; the number of a set of templates withdraws all.
      if (id < 256) stream.templates.clear();
      else stream.templates.delete(id);
      return at;
    }
    if (id < 256 || count > BOUNDS.fields) throw new Malformed();
    const fields: Field[] = [];
    for (let i = 0; i < count; i++, at += 4) {
      if (at + 4 > end) throw new Malformed();
      const element = view.getUint16(at), length = view.getUint16(at + 2);
      const enterprise = (element & 0x8000) !== 0;
      // A vendor's own element has a number that means nothing to us.
      fields.push({ id: enterprise ? 0 : element, length });
      if (enterprise) at += 4;
    }
    if (at > end) throw new Malformed();
    const least = fields.reduce((sum, f) => sum + (f.length === VARIABLE ? 1 : f.length), 0);
    if (least === 0) throw new Malformed();
    if (stream.templates.size >= BOUNDS.templates && !stream.templates.has(id)) {
      throw new Malformed();
    }
    stream.templates.set(id, { fields, options, least });
    return at;
  }

  private data(
    view: DataView,
    at: number,
    end: number,
    template: Template,
    stream: Stream,
    flows: Flow[],
  ): number {
    let records = 0;
    // What remains is padding once no record fits into it.
    while (at + template.least <= end) {
      const values: Values = { numbers: new Map() };
      for (const field of template.fields) {
        let { length } = field;
        if (length === VARIABLE) {
          length = view.getUint8(at++);
          if (length === 255) {
            length = view.getUint16(at);
            at += 2;
          }
        }
        if (at + length > end) throw new Malformed();
        if (WANTED.has(field.id)) read(view, at, length, field.id, values);
        at += length;
      }
      records++;
      if (template.options) stream.sampling = samplingOf(values.numbers) ?? stream.sampling;
      else this.flow(values, stream, flows);
    }
    return records;
  }

  private flow({ numbers, source, destination }: Values, stream: Stream, flows: Flow[]) {
    const octets = numbers.get(IE.octetDelta) ?? numbers.get(IE.octetTotal);
    if (!source || !destination || octets === undefined) return;
    flows.push({
      source,
      destination,
      protocol: numbers.get(IE.protocol) ?? 0,
      sourcePort: numbers.get(IE.sourcePort) ?? 0,
      bytes: octets * (samplingOf(numbers) ?? stream.sampling),
    });
  }
}

/** Takes one field's value. Numbers may be shorter than they could be (RFC 7011, 6.2). */
function read(view: DataView, at: number, length: number, id: number, values: Values) {
  const size = id === IE.source4 || id === IE.destination4
    ? 4
    : id === IE.source6 || id === IE.destination6
    ? 16
    : 0;
  if (size) {
    if (length !== size) throw new Malformed();
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, length).slice();
    if (id === IE.source4 || id === IE.source6) values.source = bytes;
    else values.destination = bytes;
    return;
  }
  if (length > 8) throw new Malformed();
  let number = 0;
  for (let i = 0; i < length; i++) number = number * 256 + view.getUint8(at + i);
  if (!Number.isSafeInteger(number)) throw new Malformed();
  values.numbers.set(id, number);
}

/** One packet in how many is exported, where a record says it. */
function samplingOf(numbers: Map<number, number>): number | undefined {
  const interval = numbers.get(IE.packetInterval), space = numbers.get(IE.packetSpace);
  if (interval && space !== undefined) return (interval + space) / interval;
  return numbers.get(IE.samplingInterval) || numbers.get(IE.samplerRandomInterval) || undefined;
}
