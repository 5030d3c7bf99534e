// Result<T>: a value or an Error; nothing of ours throws. Its surface is that of std::expected, so that a later
// standard library can replace it. Values, not shared state: usable from any thread.
#ifndef GREFFE_ARCHIVE_BASE_RESULT_H
#define GREFFE_ARCHIVE_BASE_RESULT_H

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace greffe {

// What the caller can do about it. The numbers are not stored anywhere.
enum class Errc {
  not_found,       // it is not there; asking again changes nothing
  already_exists,  // it is there already; often as good as success
  conflict,        // somebody else moved on: read the newer state and decide anew
  corrupt,         // bytes that are not what they claim to be: use another copy, report where
  io_error,        // the medium failed: distrust it, go elsewhere
  unavailable,     // not now: retry later
  invalid,         // the request or the input is wrong: do not retry
  denied,          // not allowed for this caller
  no_space,        // free space first, then retry
  cancelled,       // the caller asked to stop
};

std::string_view name_of(Errc code);

// `message` is for people: what failed, where, and what to do about it. It gains context on its way up.
struct Error {
  Errc code;
  std::string message;

  // The same code with "<context>: " in front of the message.
  Error within(std::string_view context) const;
};

inline Error fail(Errc code, std::string message) { return Error{code, std::move(message)}; }

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  bool has_value() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  T& value() & { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() : error_{Errc::invalid, {}}, ok_(true) {}
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  explicit operator bool() const { return ok_; }
  bool has_value() const { return ok_; }
  void operator*() const {}
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool ok_;
};

using Status = Result<void>;
inline Status ok() { return {}; }

// Aborts the process: a broken invariant. Start-up recovery is the tested path afterwards. Never checks input.
[[noreturn]] void broken_invariant(const char* what, const char* file, int line);

}  // namespace greffe

// The value of `expression`, or return its error from the enclosing function. Not in a coroutine (g++ 12).
#define GREFFE_TRY(expression)                                            \
  __extension__({                                                         \
    auto greffe_result_ = (expression);                                   \
    if (!greffe_result_) return std::move(greffe_result_).error();        \
    *std::move(greffe_result_);                                           \
  })

#define GREFFE_CHECK(condition)                                           \
  do {                                                                    \
    if (!(condition)) ::greffe::broken_invariant(#condition, __FILE__, __LINE__); \
  } while (false)

#endif
