/** The profiles by the name that mirror.toml gives them. */
import { alpine } from "./alpine.ts";
import { arch } from "./arch.ts";
import { debian, ubuntu } from "./debian.ts";
import { generic } from "./generic.ts";
import type { Profile } from "./profile.ts";
import { el, fedora } from "./rpm.ts";

export const profiles = { arch, debian, ubuntu, alpine, fedora, el, generic } satisfies Record<
  string,
  Profile
>;
