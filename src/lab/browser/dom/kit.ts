import type * as Kit from "../../../report/browser/kit.js";

/**
 * The script of the report's pages as one function, which the build puts before this one: called, it gives what draws
 * charts; its text is what an exported report carries.
 */
declare function reportKit(): typeof Kit;

let made: typeof Kit | undefined;

/** What draws charts, made when first asked for. */
export const kit = (): typeof Kit => {
  made ??= reportKit();
  return made;
};

/** The script of an exported report. */
export const reportScript = (): string => `(${reportKit.toString()})().startPage();`;
