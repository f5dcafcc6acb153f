package apitest

type faultList struct{}
