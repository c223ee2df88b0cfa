/** Kinds of values in mirror.toml; each message says what is allowed. */
import * as v from "valibot";
import { parseDuration } from "../../formats/units.ts";

export const text = (what: string) =>
  v.pipe(v.string(`allowed is ${what}`), v.minLength(1, `allowed is ${what}`));

/** A text of a given form. */
export const like = (what: string, pattern: RegExp) =>
  v.pipe(v.string(`allowed is ${what}`), v.regex(pattern, `allowed is ${what}`));

export const duration = v.pipe(
  v.string('allowed is a duration such as "6 h" or "90 s"'),
  v.check((s) => {
    try {
      return parseDuration(s) > 0;
    } catch {
      return false;
    }
  }, 'allowed is a duration above zero, such as "6 h" or "90 s"'),
  v.transform(parseDuration),
);

export const whole = (what: string, least: number, most: number) => {
  const allowed = `allowed is ${what} from ${least} to ${most}`;
  return v.pipe(
    v.number(allowed),
    v.integer(allowed),
    v.minValue(least, allowed),
    v.maxValue(most, allowed),
  );
};

/** A path that can stand in the configuration of nginx, vsftpd and rsync as it is, unquoted. */
export const plainPath = (what: string) =>
  like(`${what}: a path of letters, digits and ._+~/@-`, /^[A-Za-z0-9._+~\/@-]+$/);
