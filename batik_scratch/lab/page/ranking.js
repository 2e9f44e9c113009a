// The largest of very many numbers, without a list of all of them: a network of the paper's size has millions.

// [{ n, at, value }] of the `count` numbers of the largest size in arrays of numbers: number n's place `at`, largest first.
export function largestOf(arrays, count) {
  const found = [];
  let least = -1;
  arrays.forEach((data, n) => {
    for (let at = 0; at < data.length; at++) {
      const size = Math.abs(data[at]);
      if (size <= least) continue;
      let place = found.length;
      while (place > 0 && Math.abs(found[place - 1].value) < size) place--;
      found.splice(place, 0, { n, at, value: data[at] });
      if (found.length > count) found.pop();
      if (found.length === count) least = Math.abs(found[count - 1].value);
    }
  });
  return found;
}
