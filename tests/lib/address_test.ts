import { assertEquals } from "@std/assert";
import { isNetwork } from "../../scripts/lib/address.ts";

const RIGHT = [
  "192.0.2.7",
  "192.0.2.0/24",
  "0.0.0.0/0",
  "192.0.2.7/32",
  "::",
  "::1",
  "2001:db8::/32",
  "2001:DB8::7/128",
  "::ffff:192.0.2.7",
];
const WRONG = [
  "",
  "192.0.2",
  "192.0.2.256",
  "192.0.2.0/33",
  "2001:db8::/129",
  "2001:db8:::1",
  "1:2:3:4:5:6:7:8:9",
  "example.org",
];

Deno.test("isNetwork: addresses and networks of both families", () => {
  for (const text of RIGHT) assertEquals([text, isNetwork(text)], [text, true]);
});

Deno.test("isNetwork: anything else, no", () => {
  for (const text of WRONG) assertEquals([text, isNetwork(text)], [text, false]);
});
