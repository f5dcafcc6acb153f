package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/mangadex-go/mangadex/api/cli"
	"github.com/mangadex-go/mangadex/api/reading"
)

// formats write what is new. A feed has what is in the state.
var formats = map[string]func(w io.Writer, news []chapter, after state) error{
	"text": func(w io.Writer, news []chapter, _ state) error {
		for _, c := range news {
			line := cli.Linef("%s  %s\n    %s", c.Readable.Local().Format("2006-01-02 15:04"), c, c.URL)
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
		return nil
	},
	"json": func(w io.Writer, news []chapter, _ state) error { return cli.WriteJSON(w, news) },
	"rss":  func(w io.Writer, _ []chapter, after state) error { return writeRSS(w, after) },
}

type rss struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Channel channel  `xml:"channel"`
}

type channel struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	Description string `xml:"description"`
	Built       string `xml:"lastBuildDate"`
	Items       []item `xml:"item"`
}

type item struct {
	Title string `xml:"title"`
	Link  string `xml:"link"`
	GUID  guid   `xml:"guid"`
	Date  string `xml:"pubDate"`
}

type guid struct {
	IsLink bool   `xml:"isPermaLink,attr"`
	ID     string `xml:",chardata"`
}

func writeRSS(w io.Writer, s state) error {
	feed := rss{Version: "2.0", Channel: channel{
		Title: "New chapters on MangaDex", Link: "https://mangadex.org/titles/feed",
		Description: "Chapters of the titles that the account follows.", Built: s.LastRun.Format(time.RFC1123Z),
	}}
	for _, c := range slices.Backward(s.Chapters) {
		feed.Channel.Items = append(feed.Channel.Items, item{reading.Line(c.String()), reading.WebAddress(c.URL), guid{ID: "urn:uuid:" + c.ID.String()}, c.Readable.Format(time.RFC1123Z)})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(feed); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
