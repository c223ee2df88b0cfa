/** Relative paths in raw form; the root is `""`. */

/** The path of a name in a directory. */
export const below = (dir: string, name: string) => dir ? `${dir}/${name}` : name;

/** The directory that a path is in. */
export const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** The last name of a path. */
export const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
