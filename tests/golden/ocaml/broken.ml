let before x = x + 1

let unfinished x =
  match x with
  | Some y -> y +
  | None -> 1

(** Whole. *)
let after () = before 2

type half = { a : int; b : }

let rec missing x = let y = x in

module M = struct
  let inner = 1
  let odd n =

let last = 3
