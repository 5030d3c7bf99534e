#include <catch2/catch.hpp>

#include "archive/format/ahead_piece.h"
#include "archive/format/canonical_json.h"

using greffe::AheadPiece;
using greffe::Errc;
using greffe::TreeEdge;

namespace {

const std::string kOrigin = "archive.example";

std::string entry(int number) { return R"({"kind":"mark","text":"é)" + std::to_string(number) + R"("})"; }

TreeEdge edge_of(int size) {
  TreeEdge edge;
  for (int i = 0; i < size; ++i) edge.append(greffe::leaf_hash(greffe::as_bytes(entry(i))));
  return edge;
}

AheadPiece piece_of(int first, int size) {
  const auto key = greffe::PrivateKey::from_seed(greffe::Bytes(32, 7)).value();
  const greffe::Checkpoint checkpoint{kOrigin, static_cast<std::uint64_t>(size), edge_of(size).root()};
  const greffe::SignedNote note{checkpoint.text(), {greffe::sign_checkpoint(checkpoint, key)}};
  AheadPiece out{edge_of(first), {}, note.write()};
  for (int i = first; i < size; ++i) out.entries.push_back(entry(i));
  return out;
}

}  // namespace

TEST_CASE("a piece of entries ahead says what it continues and which tree it ends, wherever it begins") {
  for (const int first : {0, 1, 2, 5, 7, 256, 300}) {
    for (const int more : {1, 2, 44}) {
      const AheadPiece piece = piece_of(first, first + more);
      const std::string bytes = greffe::write_ahead_piece(piece);
      const auto read = greffe::parse_ahead_piece(bytes);
      REQUIRE(read);
      CHECK(read->piece.entries == piece.entries);
      CHECK(read->after.root() == edge_of(first + more).root());
      CHECK(read->name().first == static_cast<std::uint64_t>(first));
      CHECK(read->name().size == static_cast<std::uint64_t>(first + more));
      CHECK(greffe::write_ahead_piece(read->piece) == bytes);
    }
  }
}

TEST_CASE("no byte of a piece can be changed without being noticed, but in the name of its log and in its signature, which its reader checks") {
  const std::string good = greffe::write_ahead_piece(piece_of(3, 6));
  const std::size_t signature = good.find("\xe2\x80\x94");
  const std::size_t origin = good.find(kOrigin);
  REQUIRE(signature != std::string::npos);
  const std::size_t behind = good.find("\",\"edge\"");
  for (std::size_t i = 0; i < good.size(); ++i) {
    if ((i >= signature && i < behind) || (i >= origin && i < origin + kOrigin.size())) continue;
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    INFO("byte " << i);
    CHECK_FALSE(greffe::parse_ahead_piece(bad));
  }
  for (std::size_t i = 0; i < good.size(); ++i) CHECK_FALSE(greffe::parse_ahead_piece(good.substr(0, i)));
}

TEST_CASE("a piece that is none is refused") {
  const AheadPiece piece = piece_of(2, 4);
  AheadPiece none = piece;
  none.entries.clear();
  CHECK_FALSE(greffe::parse_ahead_piece(greffe::write_ahead_piece(none)));
  AheadPiece longer = piece;
  longer.entries.push_back(entry(4));
  const auto other_root = greffe::parse_ahead_piece(greffe::write_ahead_piece(longer));
  REQUIRE_FALSE(other_root);
  CHECK(other_root.error().code == Errc::corrupt);
  greffe::Json json = greffe::parse_json(greffe::write_ahead_piece(piece)).value();
  json.set("v", 2);
  CHECK_FALSE(greffe::parse_ahead_piece(greffe::write_json(json)));
  json.set("v", 1).set("more", "");
  CHECK_FALSE(greffe::parse_ahead_piece(greffe::write_json(json)));
  greffe::Json edge = greffe::parse_json(greffe::write_ahead_piece(piece)).value();
  edge.set("edge", greffe::Json::Array());
  CHECK_FALSE(greffe::parse_ahead_piece(greffe::write_json(edge)));
}

TEST_CASE("where entries lie ahead, and of which log") {
  const auto id = greffe::parse_hearing_id("019d0a3c-7c00-7abc-8def-0123456789ab").value();
  CHECK(greffe::ahead_path(id) == "log/ahead/hearing/019d0a3c-7c00-7abc-8def-0123456789ab");
  CHECK(greffe::log_path_ahead_of(greffe::ahead_path(id)).value() == greffe::hearing_log_path(id));
  const std::string of_main = greffe::ahead_path_of_main_log(kOrigin);
  CHECK(greffe::log_path_ahead_of(of_main).value() == greffe::foreign_log_path(kOrigin));
  const greffe::StageName name{3, 6, edge_of(6).root()};
  const auto key = greffe::parse_ahead_key(greffe::stage_path(of_main, name));
  REQUIRE(key);
  CHECK(key->folder == of_main);
  CHECK(key->name == name);
  for (const char* other : {"log/main/stage/0-1-ab", "log/ahead/hearing/x/stage/0-1-ab", "log/ahead/from", "log/ahead/other/x/stage/1-2-3", ""}) {
    CHECK_FALSE(greffe::parse_ahead_key(other));
  }
}
