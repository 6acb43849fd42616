// The bearer key lives in this tab only: sessionStorage ends with the tab and is never sent by itself, unlike a cookie,
// and nothing of it reaches the address bar, localStorage or a log.
const SLOT = "crosshead:key";

export function loadKey(): string {
  return sessionStorage.getItem(SLOT) ?? "";
}

export function saveKey(key: string): void {
  if (key) sessionStorage.setItem(SLOT, key);
  else sessionStorage.removeItem(SLOT);
}

/** The key as typed or pasted, without blanks around it and without a copied "Authorization: Bearer " before it. */
export function cleanKey(text: string): string {
  return text.trim().replace(/^(authorization:\s*)?bearer\s+/i, "");
}

/** Says what is wrong with a key before any request is made, or null. */
export function keyProblem(key: string): string | null {
  if (!key) return "Paste a key first.";
  // An HTTP header carries visible ASCII only; fetch() would refuse anything else with an obscure error.
  if (!/^[\x21-\x7e]+$/.test(key)) return "A key holds no blanks and no accented characters. Copy it again.";
  return null;
}
