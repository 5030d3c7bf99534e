#include "web/http/chunked.h"

#include <algorithm>

namespace greffe::http {
namespace {

constexpr unsigned kMaxExtras = 4096;
constexpr unsigned kMaxSizeDigits = 8;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error malformed(std::string_view what) {
  return fail(Errc::invalid, "The chunked body is malformed: " + std::string(what) + ".");
}

}  // namespace

Status ChunkedReader::step(char c) {
  switch (state_) {
    case State::size: {
      const int value = hex_value(c);
      if (value >= 0) {
        if (++digits_ > kMaxSizeDigits) return malformed("a chunk size is too long");
        chunk_ = chunk_ * 16 + static_cast<unsigned>(value);
        return ok();
      }
      if (digits_ == 0) return malformed("a chunk size is missing");
      if (c == '\r') {
        state_ = State::size_lf;
      } else if (c == ';') {
        state_ = State::extension;
      } else {
        return malformed("a chunk size is not a number");
      }
      return ok();
    }
    case State::extension:
      if (++extras_ > kMaxExtras) return malformed("its extensions are too long");
      if (c == '\r') {
        state_ = State::size_lf;
      } else if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
        return malformed("an extension has a control character");
      }
      return ok();
    case State::size_lf:
      if (c != '\n') return malformed("a chunk size does not end in CR LF");
      digits_ = 0;
      if (chunk_ > left_) return fail(Errc::no_space, "The body is larger than this address takes.");
      state_ = chunk_ == 0 ? State::trailer : State::data;
      line_empty_ = true;
      return ok();
    case State::data_cr:
      if (c != '\r') return malformed("a chunk does not end where it said");
      state_ = State::data_lf;
      return ok();
    case State::data_lf:
      if (c != '\n') return malformed("a chunk does not end in CR LF");
      state_ = State::size;
      return ok();
    case State::trailer:
      if (++extras_ > kMaxExtras) return malformed("its trailer is too long");
      if (c == '\r') {
        state_ = line_empty_ ? State::last_lf : State::trailer_lf;
      } else if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
        return malformed("its trailer has a control character");
      } else {
        line_empty_ = false;
      }
      return ok();
    case State::trailer_lf:
      if (c != '\n') return malformed("its trailer does not end in CR LF");
      line_empty_ = true;
      state_ = State::trailer;
      return ok();
    case State::last_lf:
      if (c != '\n') return malformed("it does not end in CR LF");
      state_ = State::done;
      return ok();
    case State::data:
    case State::done: break;
  }
  return malformed("it goes on after its end");
}

Result<std::size_t> ChunkedReader::take(std::string_view bytes, std::string& out) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::done) {
    if (state_ == State::data) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_, bytes.size() - at));
      out.append(bytes.substr(at, count));
      at += count;
      chunk_ -= count;
      left_ -= count;
      if (chunk_ == 0) state_ = State::data_cr;
    } else {
      GREFFE_TRY(step(bytes[at]));
      ++at;
    }
  }
  return at;
}

}  // namespace greffe::http
