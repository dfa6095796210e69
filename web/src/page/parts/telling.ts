import { LOCAL, type Problem } from "../../api/problem";
import { sentence, type FailureCode } from "../../local/failures";
import { bytes, megapixels, words } from "../../strings";

/** Tell a person what went wrong: the server's own sentence, or ours in their language. */
export function problemText(problem: Problem): string {
  const ours = words.value.problem.own;
  if (problem.code.startsWith(LOCAL)) {
    return sentence(problem.code.slice(LOCAL.length) as FailureCode, problem.facts, words.value.local);
  }
  if (!(problem.code in ours)) return problem.sentence || ours.unforeseen({});
  return ours[problem.code as keyof typeof ours](readable(problem));
}

function readable({ code, facts }: Problem): Readonly<Record<string, string | number>> {
  const unit = code === "tooManyPixels" ? megapixels : bytes;
  const told = Object.entries(facts).map(([name, value]) => [name, typeof value === "number" ? unit(value) : value]);
  return Object.fromEntries(told) as Readonly<Record<string, string | number>>;
}
