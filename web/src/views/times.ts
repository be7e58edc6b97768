/** How moments are said: the words in English, the clock as the reader's own system counts it (12 or 24 hours). */

// Words and figures of one sentence share a language; only the hour cycle is taken from the reader's locale.
const readers = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions();
const LANGUAGE = readers.locale.startsWith("en") ? readers.locale : "en-GB";
const hour12 = readers.hour12 ?? false;

const clockFormat = new Intl.DateTimeFormat(LANGUAGE, { hour: hour12 ? "numeric" : "2-digit", minute: "2-digit", hour12 });
const fullFormat = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "full", timeStyle: "short", hour12 });
const weekdayFormat = new Intl.DateTimeFormat(LANGUAGE, { weekday: "long" });
const dayFormat = new Intl.DateTimeFormat(LANGUAGE, { weekday: "long", day: "numeric", month: "long" });
const dateFormat = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "long" });
const yearFormat = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "long", year: "numeric" });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The calendar day in the reader's zone, as YYYY-MM-DD. */
export function dayKey(at: string): string {
  const moment = new Date(at);
  const month = String(moment.getMonth() + 1).padStart(2, "0");
  return `${moment.getFullYear()}-${month}-${String(moment.getDate()).padStart(2, "0")}`;
}

/** Whole calendar days from one moment to a later one, in the reader's zone; summer time does not shift it. */
function daysBetween(earlier: Date, later: Date): number {
  const midnight = (moment: Date): number => Date.UTC(moment.getFullYear(), moment.getMonth(), moment.getDate());
  return Math.round((midnight(later) - midnight(earlier)) / DAY);
}

/** "16:40", or "4:40 pm" where people count so. */
export function clock(at: string): string {
  return clockFormat.format(new Date(at));
}

/** "Monday, 23 November 2026 at 16:40": for titles. */
export function fullDate(at: string): string {
  return fullFormat.format(new Date(at));
}

/** "Today", "Yesterday", "Monday 23 November", "23 November 2025": between the days of a timeline. */
export function dayLabel(at: string, now: Date): string {
  const moment = new Date(at);
  const days = daysBetween(moment, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return moment.getFullYear() === now.getFullYear() ? dayFormat.format(moment) : yearFormat.format(moment);
}

/** "23 November", with the year unless it is this one. */
export function date(at: string, now: Date): string {
  const moment = new Date(at);
  return (moment.getFullYear() === now.getFullYear() ? dateFormat : yearFormat).format(moment);
}

function plural(count: number, unit: string): string {
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}

/** "now", "5 minutes ago", "3 hours ago", "yesterday", "Friday", "3 March": how long ago something was. */
export function ago(at: string, now: Date): string {
  const moment = new Date(at);
  const passed = now.getTime() - moment.getTime();
  if (passed < MINUTE) return "now";
  if (passed < HOUR) return `${plural(Math.floor(passed / MINUTE), "minute")} ago`;
  const days = daysBetween(moment, now);
  if (days === 0) return `${plural(Math.floor(passed / HOUR), "hour")} ago`;
  if (days === 1) return "yesterday";
  return days < 7 ? weekdayFormat.format(moment) : date(at, now);
}

/** "in 6 days", "in 3 hours", "in 1 minute": how long until something; null when it is over. */
export function until(at: string, now: Date): string | null {
  const left = Date.parse(at) - now.getTime();
  if (left <= 0) return null;
  if (left < HOUR) return `in ${plural(Math.max(1, Math.round(left / MINUTE)), "minute")}`;
  if (left < DAY) return `in ${plural(Math.round(left / HOUR), "hour")}`;
  return `in ${plural(Math.round(left / DAY), "day")}`;
}
