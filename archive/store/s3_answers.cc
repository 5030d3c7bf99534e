#include "archive/store/s3_answers.h"

#include <expat.h>
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

namespace greffe::store {
namespace {

constexpr std::size_t kDepthMax = 16;
constexpr std::size_t kTextBytesMax = 4096;  // of one element; a key has at most 1,024 bytes
constexpr std::size_t kObjectsMax = 1000;    // that is what was asked for

// Calls back for each element that ends, with its path ("ListBucketResult/Contents/Key") and its own text.
class Reader {
 public:
  using Visit = std::function<Status(std::string_view path, const std::string& text)>;

  static Status read(std::string_view xml, const Visit& visit) {
    if (xml.size() > kS3AnswerBytesMax) return fail(Errc::invalid, fmt::format("an answer of {} bytes; at most {} are read", xml.size(), kS3AnswerBytesMax));
    const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser(XML_ParserCreate("UTF-8"), XML_ParserFree);
    if (parser == nullptr) return fail(Errc::unavailable, "no memory to read an answer");
    Reader reader(parser.get(), visit);
    XML_SetUserData(parser.get(), &reader);
    XML_SetElementHandler(parser.get(), on_start, on_end);
    XML_SetCharacterDataHandler(parser.get(), on_text);
    XML_SetStartDoctypeDeclHandler(parser.get(), on_doctype);
    const XML_Status done = XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), XML_TRUE);
    if (reader.failure_) return *reader.failure_;
    if (done != XML_STATUS_OK) {
      return fail(Errc::invalid, fmt::format("not well-formed XML at line {}: {}", XML_GetCurrentLineNumber(parser.get()),
                                             XML_ErrorString(XML_GetErrorCode(parser.get()))));
    }
    return ok();
  }

 private:
  Reader(XML_Parser parser, const Visit& visit) : parser_(parser), visit_(visit) {}

  void stop(Error error) {
    if (!failure_) failure_ = std::move(error);
    XML_StopParser(parser_, XML_FALSE);
  }

  static void on_start(void* context, const XML_Char* name, const XML_Char**) {
    Reader& self = *static_cast<Reader*>(context);
    if (self.failure_) return;
    if (self.texts_.size() == kDepthMax) return self.stop(fail(Errc::invalid, "an answer with elements inside each other too deep"));
    if (!self.path_.empty()) self.path_ += '/';
    self.path_ += name;
    self.texts_.emplace_back();
  }

  static void on_end(void* context, const XML_Char*) {
    Reader& self = *static_cast<Reader*>(context);
    if (self.failure_) return;
    const Status taken = self.visit_(self.path_, self.texts_.back());
    if (!taken) return self.stop(taken.error());
    self.texts_.pop_back();
    const std::size_t slash = self.path_.rfind('/');
    self.path_.resize(slash == std::string::npos ? 0 : slash);
  }

  static void on_text(void* context, const XML_Char* text, int size) {
    Reader& self = *static_cast<Reader*>(context);
    if (self.failure_ || self.texts_.empty()) return;
    std::string& held = self.texts_.back();
    if (held.size() + static_cast<std::size_t>(size) > kTextBytesMax) return self.stop(fail(Errc::invalid, "an answer with a text that is too long"));
    held.append(text, static_cast<std::size_t>(size));
  }

  // Entities are declared there, and nothing else that an answer needs.
  static void on_doctype(void* context, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    static_cast<Reader*>(context)->stop(fail(Errc::invalid, "an answer with a document type"));
  }

  const XML_Parser parser_;
  const Visit& visit_;
  std::string path_;                 // of the element that is open
  std::vector<std::string> texts_;  // of it and those around it
  std::optional<Error> failure_;
};

// Collects what one <Contents> says.
class ListingBuilder {
 public:
  Status take(std::string_view path, const std::string& text) {
    if (path == "ListBucketResult/Contents/Key") return set_once(key_, text, path);
    if (path == "ListBucketResult/Contents/Size") return set_once(size_, text, path);
    if (path == "ListBucketResult/IsTruncated") return set_once(truncated_, text, path);
    if (path == "ListBucketResult/Contents") return finish_object();
    if (path == "ListBucketResult") complete_ = true;
    return ok();
  }

  Result<S3Listing> finish() {
    if (!complete_) return fail(Errc::invalid, "the answer is not a ListBucketResult");
    if (truncated_ != "true" && truncated_ != "false") return fail(Errc::invalid, "a listing without IsTruncated");
    out_.truncated = truncated_ == "true";
    if (out_.truncated && out_.objects.empty()) return fail(Errc::invalid, "a listing that is cut short before its first key");
    return std::move(out_);
  }

 private:
  static Status set_once(std::optional<std::string>& value, const std::string& text, std::string_view path) {
    if (value) return fail(Errc::invalid, fmt::format("a listing with two of {}", path));
    value = text;
    return ok();
  }

  Status finish_object() {
    if (!key_ || key_->empty() || !size_) return fail(Errc::invalid, "a listing with an entry without key or size");
    const std::uint64_t bytes = GREFFE_TRY(parse_decimal(*size_));
    if (out_.objects.size() == kObjectsMax) return fail(Errc::invalid, "a listing of more keys than were asked for");
    if (!out_.objects.empty() && out_.objects.back().key >= *key_) return fail(Errc::invalid, "a listing whose keys are not in order");
    out_.objects.push_back({*std::move(key_), bytes});
    key_.reset();
    size_.reset();
    return ok();
  }

  S3Listing out_;
  std::optional<std::string> key_;
  std::optional<std::string> size_;
  std::optional<std::string> truncated_;
  bool complete_ = false;
};

}  // namespace

Result<S3Listing> parse_s3_listing(std::string_view xml) {
  ListingBuilder builder;
  GREFFE_TRY(Reader::read(xml, [&](std::string_view path, const std::string& text) { return builder.take(path, text); }));
  return builder.finish();
}

Result<bool> parse_s3_object_lock(std::string_view xml) {
  bool enabled = false;
  bool complete = false;
  GREFFE_TRY(Reader::read(xml, [&](std::string_view path, const std::string& text) {
    if (path == "ObjectLockConfiguration/ObjectLockEnabled") enabled = text == "Enabled";
    if (path == "ObjectLockConfiguration") complete = true;
    return ok();
  }));
  if (!complete) return fail(Errc::invalid, "the answer is not an ObjectLockConfiguration");
  return enabled;
}

Result<S3Fault> parse_s3_fault(std::string_view xml) {
  S3Fault out;
  GREFFE_TRY(Reader::read(xml, [&](std::string_view path, const std::string& text) {
    if (path == "Error/Code" && out.code.empty()) out.code = text;
    if (path == "Error/Message" && out.message.empty()) out.message = text;
    return ok();
  }));
  if (out.code.empty()) return fail(Errc::invalid, "the answer is not an Error with a Code");
  return out;
}

}  // namespace greffe::store
